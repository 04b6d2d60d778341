/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/loader.h"

#include <errno.h>
#include <string.h>

#include "config/errors.h"
#include "config/lines.h"
#include "config/rules-file.h"

#define RULES_FILE_DEFAULT "/etc/srp_daemon.conf"

static const char *file_now(const struct loader *l)
{
	return l->files[l->n_files - 1];
}

static struct origin here(const struct loader *l, unsigned line)
{
	return (struct origin){ .file = l->n_files - 1, .line = line };
}

static bool in_this_file(const struct loader *l, const struct origin *o)
{
	return o->line > 0 && o->file == l->n_files - 1;
}

/* "login", or "target lab". */
static char *section_now(const struct loader *l, char buf[static 96])
{
	if (l->section == SECTION_TARGET)
		snprintf(buf, 96, "target %s", l->config->targets[l->target].name);
	else if (l->section == SECTION_RULE)
		snprintf(buf, 96, "rule %s", l->rules[l->rule].name);
	else
		snprintf(buf, 96, "%s", config_section_name(l->section));
	return buf;
}

static bool name_valid(struct loader *l, const char *kind, const char *name, unsigned line)
{
	size_t len =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	char word[CONFIG_WORD_MAX];

	if (len > 0 && !name[len] && len < CONFIG_NAME_MAX)
		return true;
	config_errors_add(l->errors, file_now(l), line,
			  "[%s %s]: not a %s's name: expected 1..63 letters, digits, "
			  "\".\", \"_\", \"-\"",
			  kind, config_shorten(name, word), kind);
	return false;
}

static int add_target(struct loader *l, const char *name, unsigned line)
{
	struct config *c = l->config;
	struct config_target *targets;
	struct scope *scopes;
	char *file;

	targets = reallocarray(c->targets, c->n_targets + 1, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	c->targets = targets;
	scopes = reallocarray(l->targets, c->n_targets + 1, sizeof(*scopes));
	if (!scopes)
		return -ENOMEM;
	l->targets = scopes;
	file = strdup(file_now(l));
	if (!file)
		return -ENOMEM;
	scopes[c->n_targets] = (struct scope){ 0 };
	targets[c->n_targets] = (struct config_target){ .file = file, .line = line };
	strcpy(targets[c->n_targets].name, name);
	l->target = c->n_targets++;
	return 0;
}

/* A target's section goes on in a later file, never in the same one. */
static void enter_target(struct loader *l, const char *name, unsigned line)
{
	struct config *c = l->config;

	if (!name_valid(l, "target", name, line))
		return;
	for (l->target = 0; l->target < c->n_targets; l->target++)
		if (strcmp(c->targets[l->target].name, name) == 0)
			break;
	if (l->target == c->n_targets) {
		if (c->n_targets == CONFIG_TARGETS_MAX) {
			config_errors_add(l->errors, file_now(l), line,
					  "[target %s]: more than %u targets", name,
					  CONFIG_TARGETS_MAX);
			return;
		}
		if (add_target(l, name, line) < 0) {
			l->error = -ENOMEM;
			return;
		}
	} else if (in_this_file(l, &l->targets[l->target].section)) {
		config_errors_add(l->errors, file_now(l), line,
				  "[target %s]: given twice in this file, first on line %u", name,
				  l->targets[l->target].section.line);
	}
	l->targets[l->target].section = here(l, line);
	l->section = SECTION_TARGET;
}

static int add_rule(struct loader *l, const char *name, unsigned line)
{
	struct rule_draft *rules = reallocarray(l->rules, l->n_rules + 1, sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	l->rules = rules;
	rules[l->n_rules] = (struct rule_draft){ .line = line };
	strcpy(rules[l->n_rules].name, name);
	l->rule = l->n_rules++;
	return 0;
}

/* As a target's; it keeps the place where it first stood. */
static void enter_rule(struct loader *l, const char *name, unsigned line)
{
	if (!name_valid(l, "rule", name, line))
		return;
	for (l->rule = 0; l->rule < l->n_rules; l->rule++)
		if (strcmp(l->rules[l->rule].name, name) == 0)
			break;
	if (l->rule == l->n_rules) {
		if (l->n_rules == CONFIG_RULE_SECTIONS_MAX) {
			config_errors_add(l->errors, file_now(l), line,
					  "[rule %s]: more than %u rules", name,
					  CONFIG_RULE_SECTIONS_MAX);
			return;
		}
		if (add_rule(l, name, line) < 0) {
			l->error = -ENOMEM;
			return;
		}
	} else if (in_this_file(l, &l->rules[l->rule].scope.section)) {
		config_errors_add(l->errors, file_now(l), line,
				  "[rule %s]: given twice in this file, first on line %u", name,
				  l->rules[l->rule].scope.section.line);
	}
	l->rules[l->rule].scope.section = here(l, line);
	l->section = SECTION_RULE;
}

static bool section_is_named(enum config_section s)
{
	return s == SECTION_TARGET || s == SECTION_RULE;
}

static void unknown_section(struct loader *l, const char *name, unsigned line)
{
	enum config_section nearest = SECTION_UNKNOWN;
	unsigned best = CONFIG_DISTANCE_FAR;
	char word[CONFIG_WORD_MAX];

	for (enum config_section s = SECTION_DISCOVERY; s <= SECTION_RULE; s++) {
		unsigned d = config_word_distance(name, config_section_name(s));

		if (d < best && config_word_near(d, name)) {
			best = d;
			nearest = s;
		}
	}
	config_shorten(name, word);
	if (nearest != SECTION_UNKNOWN)
		config_errors_add(l->errors, file_now(l), line,
				  "[%s]: unknown section; did you mean [%s%s]?", word,
				  config_section_name(nearest),
				  section_is_named(nearest) ? " NAME" : "");
	else
		config_errors_add(l->errors, file_now(l), line,
				  "[%s]: unknown section; expected [discovery], [login], "
				  "[timeouts], [failover], [target NAME] or [rule NAME]",
				  word);
}

static void on_section(char *name, unsigned line, void *userdata)
{
	struct loader *l = userdata;
	size_t word = strcspn(name, " \t");
	char first;

	l->section = SECTION_UNKNOWN;
	for (enum config_section s = SECTION_DISCOVERY; s < SECTION_TARGET; s++)
		if (strcmp(name, config_section_name(s)) == 0) {
			l->section = s;
			return;
		}
	first = name[word];
	name[word] = '\0';
	if (first && strcmp(name, "target") == 0) {
		name += word + 1;
		enter_target(l, name + strspn(name, " \t"), line);
	} else if (first && strcmp(name, "rule") == 0) {
		name += word + 1;
		enter_rule(l, name + strspn(name, " \t"), line);
	} else
		unknown_section(l, name, line);
}

/* A key that stands where it may not: where it may, or what was meant. */
static void unknown_key(struct loader *l, const char *key, unsigned line)
{
	const struct config_key *nearest = NULL;
	unsigned best = CONFIG_DISTANCE_FAR;
	char section[96], word[CONFIG_WORD_MAX], where[100] = "";

	if (l->section != SECTION_NONE)
		snprintf(where, sizeof(where), "[%s] ", section_now(l, section));
	config_shorten(key, word);
	for (unsigned i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];
		unsigned d = config_word_distance(key, k->name);

		if (d == 0) {
			config_errors_add(l->errors, file_now(l), line,
					  "%s%s: not a key of this place; it belongs in [%s%s]",
					  where, word, config_section_name(k->section),
					  section_is_named(k->section) ? " NAME" : "");
			return;
		}
		if (d < best && config_word_near(d, key) && config_key_belongs(k, l->section)) {
			best = d;
			nearest = k;
		}
	}
	if (nearest)
		config_errors_add(l->errors, file_now(l), line,
				  "%s%s: unknown key; did you mean \"%s\"?", where, word,
				  nearest->name);
	else
		config_errors_add(l->errors, file_now(l), line, "%s%s: unknown key%s", where, word,
				  l->section == SECTION_NONE ? ", and outside of any section" : "");
}

static void add_portal(struct loader *l, const char *value, unsigned line)
{
	struct config_target *t = &l->config->targets[l->target];
	struct scope *scope = &l->targets[l->target];
	struct config_portal p = { .line = line };
	char word[CONFIG_WORD_MAX], expected[CONFIG_EXPECTED_MAX];

	scope->dest_given = true;
	if (parse_portal(value, &p.dest) < 0) {
		config_errors_add(
			l->errors, file_now(l), line,
			"[target %s] dest: \"%s\" is not valid: expected %s", t->name,
			config_shorten(value, word),
			config_key_expected(config_key_find("dest", SECTION_TARGET), expected));
		return;
	}
	format_portal(&p.dest, p.text);
	for (unsigned i = 0; i < t->n_portals; i++)
		if (portal_equal(&t->portals[i].dest, &p.dest)) {
			config_errors_add(l->errors, file_now(l), line,
					  "[target %s] dest: %s was given before, at %s:%u",
					  t->name, p.text, l->files[scope->portal_files[i]],
					  t->portals[i].line);
			return;
		}
	if (t->n_portals == CONFIG_PORTALS_MAX) {
		config_errors_add(l->errors, file_now(l), line,
				  "[target %s] dest: more than %u portals", t->name,
				  CONFIG_PORTALS_MAX);
		return;
	}
	scope->portal_files[t->n_portals] = l->n_files - 1;
	t->portals[t->n_portals++] = p;
}

static void *key_field(struct loader *l, const struct config_key *key)
{
	if (l->section == SECTION_TARGET)
		return (char *)&l->config->targets[l->target] + key->in_target;
	if (l->section == SECTION_RULE)
		return (char *)&l->rules[l->rule] + key->in_rule;
	return (char *)l->config + key->in_config;
}

static struct scope *scope_now(struct loader *l)
{
	if (l->section == SECTION_TARGET)
		return &l->targets[l->target];
	return l->section == SECTION_RULE ? &l->rules[l->rule].scope : &l->common;
}

static void set_key(struct loader *l, const struct config_key *key, const char *value,
		    unsigned line)
{
	struct origin *origin = &scope_now(l)->at[key - config_keys];
	bool again = in_this_file(l, origin);
	char section[96], word[CONFIG_WORD_MAX], expected[CONFIG_EXPECTED_MAX];
	void *field = key_field(l, key);
	int r;

	if (again && key->kind != KEY_PORTS) {
		config_errors_add(l->errors, file_now(l), line,
				  "[%s] %s: given twice in this file, first on line %u",
				  section_now(l, section), key->name, origin->line);
		return;
	}
	if (key->kind == KEY_PORTS && !again) {
		free(*(char **)field);
		*(char **)field = NULL;
	}
	*origin = here(l, line);
	r = config_key_parse(key, value, field);
	origin->bad = r < 0;
	if (r == -ENOMEM)
		l->error = r;
	else if (r == -E2BIG)
		config_errors_add(l->errors, file_now(l), line, "[%s] %s: more than %u globs",
				  section_now(l, section), key->name, CONFIG_PORT_GLOBS_MAX);
	else if (r < 0)
		config_errors_add(l->errors, file_now(l), line,
				  "[%s] %s: \"%s\" is not valid: expected %s",
				  section_now(l, section), key->name, config_shorten(value, word),
				  config_key_expected(key, expected));
}

static void on_value(const char *name, const char *value, unsigned line, void *userdata)
{
	struct loader *l = userdata;
	const struct config_key *key;

	if (l->section == SECTION_UNKNOWN)
		return;
	key = config_key_find(name, l->section);
	if (!key)
		unknown_key(l, name, line);
	else if (key->kind == KEY_DEST)
		add_portal(l, value, line);
	else
		set_key(l, key, value, line);
}

static void on_mistake(const char *what, unsigned line, void *userdata)
{
	struct loader *l = userdata;

	config_errors_add(l->errors, file_now(l), line, "%s", what);
}

int loader_text(struct loader *l, const char *name, const char *text, size_t len)
{
	static const struct lines_handler handler = { .on_section = on_section,
						      .on_value = on_value,
						      .on_mistake = on_mistake };
	char *copy, **files = reallocarray(l->files, l->n_files + 1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	l->files = files;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	files[l->n_files++] = copy;
	l->section = SECTION_NONE;
	return lines_parse(text, len, &handler, l);
}

static void inherit(struct loader *l)
{
	for (unsigned t = 0; t < l->config->n_targets; t++) {
		struct config_target *target = &l->config->targets[t];

		for (unsigned k = 0; k < config_n_keys; k++) {
			const struct config_key *key = &config_keys[k];

			if (key->in_config == 0 || key->in_target == 0 ||
			    l->targets[t].at[k].line > 0)
				continue;
			memcpy((char *)target + key->in_target, (char *)l->config + key->in_config,
			       key->size);
		}
	}
}

int loader_begin(struct loader *l, struct config_errors *errors)
{
	*l = (struct loader){ .errors = errors,
			      .errors_before = errors->total,
			      .config = malloc(sizeof(*l->config)) };
	if (!l->config)
		return -ENOMEM;
	config_defaults(l->config);
	l->config->ports = strdup("*");
	l->config->discovery.rules = strdup(RULES_FILE_DEFAULT);
	return l->config->ports && l->config->discovery.rules ? 0 : -ENOMEM;
}

static void set_has(struct loader *l)
{
	const struct config_key *id_ext = config_key_find("id_ext", SECTION_TARGET);
	const struct config_key *ioc_guid = config_key_find("ioc_guid", SECTION_TARGET);

	for (unsigned t = 0; t < l->config->n_targets; t++) {
		const struct origin *at = l->targets[t].at;

		l->config->targets[t].has_id_ext = at[id_ext - config_keys].line > 0;
		l->config->targets[t].has_ioc_guid = at[ioc_guid - config_keys].line > 0;
	}
}

int loader_rules_file(struct loader *l, const char *name, const char *text, size_t len)
{
	return rules_file_parse(name, text, len, &l->config->file_rules, l->errors);
}

int loader_end(struct loader *l, int r, struct config **ret)
{
	if (r == 0 && l->error != -ENOMEM) {
		inherit(l);
		set_has(l);
		config_verify(l);
		r = rule_sections_take(l);
	}
	if (r == 0)
		r = l->error;
	if (r == 0 && l->errors->total > l->errors_before)
		r = -EINVAL;
	if (r == 0)
		*ret = TAKE_PTR(l->config);
	config_free(l->config);
	free(l->targets);
	free(l->rules);
	for (unsigned i = 0; i < l->n_files; i++)
		free(l->files[i]);
	free(l->files);
	return r;
}

int config_load_text(const char *name, const char *text, size_t len, struct config **ret,
		     struct config_errors *errors)
{
	struct loader l;
	int r = loader_begin(&l, errors);

	if (r == 0)
		r = loader_text(&l, name, text, len);
	return loader_end(&l, r, ret);
}
