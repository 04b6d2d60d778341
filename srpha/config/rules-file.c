/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/rules-file.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/errors.h"
#include "config/keys.h"

/* Figures of srp_daemon.c and srp_daemon.h of rdma-core 44: fgets() into 255 bytes; struct rule. */
#define PART_MAX 254
#define OPTIONS_MAX 127
#define OPTION_DIGITS_MAX 16
#define DIGITS_MAX 32 /* of the longest value, dgid */

enum match_key { MATCH_ID_EXT, MATCH_IOC_GUID, MATCH_DGID, MATCH_SERVICE_ID, MATCH_PKEY };

static const struct {
	const char *name;
	enum match_key key;
	unsigned digits;
} matches[] = {
	{ "id_ext", MATCH_ID_EXT, 16 }, { "ioc_guid", MATCH_IOC_GUID, 16 },
	{ "dgid", MATCH_DGID, 32 },	{ "service_id", MATCH_SERVICE_ID, 16 },
	{ "pkey", MATCH_PKEY, 9 },
};

/* Keys of [login] by the same names. */
static const char *const options[] = {
	"allow_ext_sg", "ch_count",   "cmd_sg_entries", "comp_vector",	  "max_cmd_per_lun",
	"max_sect",	"queue_size", "sg_tablesize",	"tl_retry_count",
};

struct parser {
	const char *name;
	unsigned line;
	bool continued; /* this part is the rest of a line of more than PART_MAX bytes */
	struct config_errors *errors;

	const char *pos, *end; /* of the part; the newline is at end[-1] */
	struct config_rule rule;
	char options[OPTIONS_MAX + 1];
};

__attribute__((format(printf, 2, 3))) static int mistake(struct parser *p, const char *fmt, ...)
{
	_cleanup_free_ char *what = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&what, fmt, ap);
	va_end(ap);
	if (n < 0) {
		what = NULL;
		return -ENOMEM;
	}
	config_errors_add(
		p->errors, p->name, p->line, "%s%s",
		p->continued ? "past 254 bytes, where srp_daemon begins a new line: " : "", what);
	return -EINVAL;
}

/* What ends a value; a NUL byte does in srp_daemon, too. */
static bool is_end(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\0';
}

/* The text at pos, up to a character of `stop` or the end of a value, for a message. */
static char *word_here(const struct parser *p, char stop, char buf[static CONFIG_WORD_MAX])
{
	char word[PART_MAX + 1];
	size_t n = 0;

	for (const char *s = p->pos; s < p->end && !is_end(*s) && *s != stop; s++)
		word[n++] = isprint((unsigned char)*s) ? *s : '?';
	word[n] = '\0';
	return config_shorten(word, buf);
}

/*
 * The digits of a value, and one character after them unless it is the newline. -EINVAL with pos
 * where it was.
 */
static int take_digits(struct parser *p, int (*is_digit)(int), unsigned max,
		       char ret[static DIGITS_MAX + 1])
{
	const char *s = p->pos;
	unsigned n = 0;

	for (; !is_end(*s); s++) {
		if (n == max || !is_digit((unsigned char)*s))
			return -EINVAL;
		ret[n++] = *s;
	}
	ret[n] = '\0';
	p->pos = *s == '\n' ? s : s + 1;
	return 0;
}

static void set_dgid(struct config_rule *r, const char *digits)
{
	char half[17] = "";
	uint64_t v[2];

	memcpy(half, digits, strnlen(digits, 16));
	v[0] = strtoull(half, NULL, 16);
	v[1] = strlen(digits) > 16 ? strtoull(digits + 16, NULL, 16) : 0;
	for (unsigned i = 0; i < 16; i++)
		r->dgid[i] = (uint8_t)(v[i / 8] >> (56 - 8 * (i % 8)));
	r->has_dgid = *digits;
}

static void set_match(struct config_rule *r, enum match_key key, const char *digits)
{
	switch (key) {
	case MATCH_ID_EXT:
		r->id_ext = strtoull(digits, NULL, 16);
		r->has_id_ext = *digits;
		break;
	case MATCH_IOC_GUID:
		r->ioc_guid = strtoull(digits, NULL, 16);
		r->has_ioc_guid = *digits;
		break;
	case MATCH_DGID:
		set_dgid(r, digits);
		break;
	case MATCH_SERVICE_ID:
		r->service_id = strtoull(digits, NULL, 16);
		r->has_service_id = *digits;
		break;
	case MATCH_PKEY:
		r->pkey = strtoull(digits, NULL, 16) & 0xffff;
		r->has_pkey = *digits;
		break;
	}
}

/* The kernel reads a leading 0 as octal; what is not octal then, and nothing, it does not take. */
static uint64_t option_value(const char *digits)
{
	uint64_t v;
	char *end;

	if (!*digits)
		return LOGIN_UNSET;
	v = strtoull(digits, &end, 0);
	return *end ? strtoull(digits, NULL, 10) : v;
}

static int set_option(struct parser *p, const char *name, const char *digits)
{
	static const struct config_login none = LOGIN_NO_OPTIONS;
	const struct config_key *key = config_key_find(name, SECTION_LOGIN);
	size_t len = strlen(p->options);
	int n = snprintf(p->options + len, sizeof(p->options) - len, ",%s=%s", name, digits);
	uint64_t value = option_value(digits);

	if ((size_t)n >= sizeof(p->options) - len)
		return mistake(p, "%s: more than %u bytes of options in one line", name,
			       OPTIONS_MAX);
	if (!p->rule.login) {
		p->rule.login = malloc(sizeof(*p->rule.login));
		if (!p->rule.login)
			return -ENOMEM;
		*p->rule.login = none;
	}
	config_key_set(p->rule.login, key, &value);
	p->rule.keys |= UINT64_C(1) << (key - config_keys);
	return 0;
}

/* Whether "name=" stands at pos; pos is then after it. */
static bool take_name(struct parser *p, const char *name)
{
	size_t len = strlen(name);

	if ((size_t)(p->end - p->pos) <= len || memcmp(p->pos, name, len) != 0 ||
	    p->pos[len] != '=')
		return false;
	p->pos += len + 1;
	return true;
}

static int unknown_key(struct parser *p)
{
	char word[CONFIG_WORD_MAX];
	const char *nearest = NULL;
	unsigned best = CONFIG_DISTANCE_FAR;

	if (*p->pos == '\r')
		return mistake(p, "ends in CR LF; srp_daemon takes lines that end in LF alone");
	word_here(p, '=', word);
	for (size_t i = 0; i < ARRAY_SIZE(matches) + ARRAY_SIZE(options); i++) {
		const char *name = i < ARRAY_SIZE(matches) ? matches[i].name
							   : options[i - ARRAY_SIZE(matches)];
		unsigned d = config_word_distance(word, name);

		if (d < best && config_word_near(d, word)) {
			best = d;
			nearest = name;
		}
	}
	if (!*word)
		return mistake(p, "expected KEY=VALUE, one comma or blanks after each");
	if (best == 0)
		return mistake(p, "%s: no \"=\" right after it", word);
	if (nearest)
		return mistake(p, "%s: unknown key; did you mean \"%s\"?", word, nearest);
	return mistake(p,
		       "%s: unknown key; expected id_ext, ioc_guid, dgid, service_id or pkey, or a "
		       "parameter of a login",
		       word);
}

static int take_pair(struct parser *p)
{
	char digits[DIGITS_MAX + 1], word[CONFIG_WORD_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		if (!take_name(p, matches[i].name))
			continue;
		if (take_digits(p, isxdigit, matches[i].digits, digits) < 0)
			return mistake(p,
				       "%s: \"%s\" is not valid: expected at most %u hexadecimal "
				       "digits",
				       matches[i].name, word_here(p, '\0', word),
				       matches[i].digits);
		set_match(&p->rule, matches[i].key, digits);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (!take_name(p, options[i]))
			continue;
		if (!p->rule.allow)
			return mistake(p, "%s: a parameter of a login, in a line that denies",
				       options[i]);
		if (take_digits(p, isdigit, OPTION_DIGITS_MAX, digits) < 0)
			return mistake(p, "%s: \"%s\" is not valid: expected at most %u digits",
				       options[i], word_here(p, '\0', word), OPTION_DIGITS_MAX);
		return set_option(p, options[i], digits);
	}
	return unknown_key(p);
}

static void skip_blanks(struct parser *p)
{
	while (*p->pos == ' ' || *p->pos == '\t')
		p->pos++;
}

/* One part into p->rule: 0, -EINVAL (told), -ENOMEM. */
static int parse_part(struct parser *p, const char *start, const char *end)
{
	int r = 0;

	p->pos = start + 1;
	p->end = end;
	p->rule.allow = *start == 'a' || *start == 'A';
	if (!p->rule.allow && *start != 'd' && *start != 'D')
		return mistake(p, "expected \"a\" or \"d\" as the first character, or \"#\" for a "
				  "comment");
	if (end[-1] != '\n')
		return mistake(p, end - start == PART_MAX
					  ? "longer than 254 bytes, which is all srp_daemon takes"
					  : "no newline at its end; srp_daemon does not take it");
	for (skip_blanks(p); r == 0 && *p->pos != '\n'; skip_blanks(p))
		r = take_pair(p);
	return r;
}

static int keep_rule(struct parser *p, struct config_rules *rules)
{
	struct config_rule *list;

	if (rules->n == CONFIG_FILE_RULES_MAX)
		return mistake(p, "more than %u rules", CONFIG_FILE_RULES_MAX);
	if ((rules->n & (rules->n - 1)) == 0) { /* room for the next power of two */
		list = reallocarray(rules->list, rules->n ? 2 * (size_t)rules->n : 1,
				    sizeof(*list));
		if (!list)
			return -ENOMEM;
		rules->list = list;
	}
	p->rule.line = p->line;
	if (*p->options) {
		p->rule.options = strdup(p->options);
		if (!p->rule.options)
			return -ENOMEM;
	}
	rules->list[rules->n++] = p->rule;
	p->rule = (struct config_rule){ 0 };
	return 0;
}

int rules_file_parse(const char *name, const char *text, size_t len, struct config_rules *rules,
		     struct config_errors *errors)
{
	struct parser p = { .name = name, .errors = errors, .line = 1 };
	const char *end = text + len, *next;
	int r = 0;

	for (; text < end; text = next) {
		size_t left = (size_t)(end - text);
		const char *newline = memchr(text, '\n', left < PART_MAX ? left : PART_MAX);

		next = newline ? newline + 1 : text + (left < PART_MAX ? left : PART_MAX);
		if (*text != '#' && *text != '\n') {
			p.rule = (struct config_rule){ 0 };
			p.options[0] = '\0';
			r = parse_part(&p, text, next);
			if (r == 0)
				r = keep_rule(&p, rules);
			config_rule_clear(&p.rule);
			if (r == -ENOMEM || (r < 0 && rules->n == CONFIG_FILE_RULES_MAX))
				break;
		}
		p.continued = !newline;
		p.line += newline != NULL;
	}
	return r == -ENOMEM ? r : 0;
}
