/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status as text, byte for byte: data/NAME.json in, data/NAME.txt (ASCII) and NAME.utf8.txt
 * out. With UPDATE=1 in the environment the expected texts are written instead: read the diff.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/render.h"
#include "wire/varlink.h"

static char *read_file(const char *name, const char *suffix)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *path = NULL;
	char *text = calloc(1, 65536);

	assert_non_null(text);
	assert_true(asprintf(&path, "%s/%s%s", getenv("DATA"), name, suffix) > 0);
	f = fopen(path, "re");
	if (!f)
		fail_msg("cannot open %s: %s", path, strerror(errno));
	assert_true(fread(text, 1, 65535, f) < 65535);
	return text;
}

static char *render(struct json_object *o, const struct style *style)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(render_status(f, style, o), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void update(const char *name, const char *suffix, const char *text)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s%s", getenv("DATA"), name, suffix) > 0);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static struct json_object *load(const char *name)
{
	_cleanup_free_ char *text = read_file(name, ".json");
	struct json_object *o = json_tokener_parse(text);

	assert_non_null(o);
	return o;
}

static void compare(const char *name, const struct style *style, const char *suffix)
{
	_cleanup_json_ struct json_object *o = load(name);
	_cleanup_free_ char *got = render(o, style), *expected = NULL;

	if (getenv("UPDATE"))
		update(name, suffix, got);
	expected = read_file(name, suffix);
	assert_string_equal(got, expected);
}

static const struct style ascii = { 0 }, utf8 = { .utf8 = true }, colour = { .colour = true };

static void as_expected(void **state)
{
	compare(*state, &ascii, ".txt");
	compare(*state, &utf8, ".utf8.txt");
}

/* Nothing but what we chose ourselves may reach a terminal. */
static void only_printable(void **state)
{
	static const char *const names[] = { "healthy", "degraded", "critical",
					     "empty",	"types",    "controls" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_json_ struct json_object *o = load(names[i]);
		_cleanup_free_ char *text = render(o, &ascii);

		for (const char *p = text; *p; p++)
			assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
	}
}

/* Colour changes nothing but colour. */
static void colour_is_only_colour(void **state)
{
	_cleanup_json_ struct json_object *o = load("degraded");
	_cleanup_free_ char *plain = render(o, &ascii), *coloured = render(o, &colour);
	char *w = coloured;

	assert_non_null(strstr(coloured, "\033[33mdegraded\033[0m: "));
	for (const char *r = coloured; *r; r++) {
		if (*r == '\033')
			r = strchr(r, 'm');
		else
			*w++ = *r;
	}
	*w = '\0';
	assert_string_equal(coloured, plain);
}

static void huge_lists_are_cut(void **state)
{
	static const char *const lists[] = { "reasons", "ports", "targets",
					     "paths",	"maps",	 "actors" };
	_cleanup_json_ struct json_object *o = json_object_new_object();
	_cleanup_free_ char *text = NULL;
	unsigned lines = 0;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		struct json_object *list = json_object_new_array();

		for (unsigned i = 0; i < 20000; i++) {
			struct json_object *e = json_object_new_object();
			char name[16];

			snprintf(name, sizeof(name), "n%u", i);
			json_put_string(e, "name", name);
			json_put_string(e, "target", name);
			json_object_array_add(list, e);
		}
		json_object_object_add(o, lists[l], list);
	}
	text = render(o, &ascii);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_true(lines > 4 * TEXT_LIST_MAX && lines < 5 * TEXT_LIST_MAX);
	assert_non_null(strstr(text, "and 19992 more reasons\n"));
	assert_non_null(strstr(text, "and 15904 more targets, 15904 more paths\n"));
}

static void escape_cuts_and_keeps_whole(void **state)
{
	static const struct {
		const struct style *style;
		const char *in;
		size_t max;
		const char *out;
	} cases[] = {
		{ &ascii, "plain", 80, "plain" },
		{ &ascii, "plain", 5, "plain" },
		{ &ascii, "plain", 4, "plai..." },
		{ &utf8, "plain", 4, "plai…" },
		{ &ascii, "", 0, "" },
		{ &ascii, "ü", 80, "\\xc3\\xbc" },
		{ &utf8, "üü", 1, "ü…" },
		{ &utf8, "\xc3", 80, "\\xc3" },
		{ &utf8, "\xc0\x80", 80, "\\xc0\\x80" },
		{ &utf8, "\xed\xa0\x80", 80, "\\xed\\xa0\\x80" },
		{ &utf8, "\xf5\x80\x80\x80", 80, "\\xf5\\x80\\x80\\x80" },
		{ &utf8, "\xe2\x80", 80, "\\xe2\\x80" },
		{ &utf8, "\xc2\x9b", 80, "\\xc2\\x9b" },
		{ &utf8, "\xe2\x80\xae", 80, "\\xe2\\x80\\xae" },
		{ &ascii, "a\tb\\c\x7f", 80, "a\\x09b\\\\c\\x7f" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *out = text_escape(cases[i].style, cases[i].in, cases[i].max);

		assert_string_equal(out, cases[i].out);
	}
}

int main(void)
{
#define CASE(n)                                                                                    \
	{                                                                                          \
		"status " n, as_expected, NULL, NULL, (void *)n                                    \
	}
	const struct CMUnitTest tests[] = {
		CASE("healthy"),
		CASE("degraded"),
		CASE("critical"),
		CASE("empty"),
		CASE("types"),
		CASE("controls"),
		cmocka_unit_test(only_printable),
		cmocka_unit_test(colour_is_only_colour),
		cmocka_unit_test(huge_lists_are_cut),
		cmocka_unit_test(escape_cuts_and_keeps_whole),
	};

	return cmocka_run_group_tests_name("ctl render", tests, NULL, NULL);
}
