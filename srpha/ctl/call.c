/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/call.h"

#include <errno.h>
#include <string.h>

#include "ctl/client.h"

void call_print_failure(FILE *f, const struct style *style, const char *socket_path, int error)
{
	_cleanup_free_ char *where = text_escape(style, socket_path, TEXT_LINE_MAX);

	if (!where)
		return;
	switch (error) {
	case -ENOENT:
		fprintf(f,
			"srphactl: srpha is not running: no socket at %s, "
			"start it with systemctl start srpha\n",
			where);
		break;
	case -ECONNREFUSED:
		fprintf(f,
			"srphactl: srpha is not running: nobody listens at %s, "
			"start it with systemctl start srpha\n",
			where);
		break;
	case -ETIMEDOUT:
		fprintf(f, "srphactl: srpha did not answer at %s within %u s\n", where,
			(unsigned)(CLIENT_TIMEOUT_USEC / 1000000));
		break;
	case -EPIPE:
		fprintf(f, "srphactl: srpha hung up without an answer at %s\n", where);
		break;
	case -EBADMSG:
	case -E2BIG:
		fprintf(f, "srphactl: what answers at %s does not speak varlink\n", where);
		break;
	default:
		fprintf(f, "srphactl: cannot ask srpha at %s: %s\n", where, strerror(-error));
		break;
	}
}

static void print_mistakes(FILE *f, const struct style *style, struct json_object *parameters)
{
	struct json_object *list = NULL;
	size_t n;

	fprintf(f, "srphactl: the configuration has mistakes; the one in use stays\n");
	if (json_get_array(parameters, "mistakes", SIZE_MAX, &list) < 0)
		return;
	n = json_object_array_length(list);
	for (size_t i = 0; i < n && i < TEXT_LIST_MAX; i++) {
		const char *s = json_object_get_string(json_object_array_get_idx(list, i));
		_cleanup_free_ char *line = text_escape(style, s ? s : "?", TEXT_LINE_MAX);

		if (line)
			fprintf(f, "%s\n", line);
	}
}

/* What the errors with one parameter of interest say: words before and after it. */
static const struct {
	const char *name, *key, *before, *after;
} errors[] = {
	{ "io.srpha.NoSuchPath", "path", "there is no path ", "; srphactl status lists them" },
	{ "io.srpha.LastPath", "map", "refused: it is the last usable path of ",
	  ", whose I/O would stop" },
	{ "org.varlink.service.PermissionDenied", NULL, "only root may do this", "" },
	{ "org.varlink.service.InvalidParameter", "parameter", "srpha did not take the parameter ",
	  "" },
	{ "org.varlink.service.MethodNotFound", "method", "this srpha does not know ",
	  "; is it older than srphactl?" },
	{ "org.varlink.service.MethodNotImplemented", "method", "this srpha cannot do ", "" },
};

void call_print_error(FILE *f, const struct style *style, const char *name,
		      struct json_object *parameters)
{
	_cleanup_free_ char *text = NULL;
	const char *value = "?";

	if (strcmp(name, "io.srpha.ConfigInvalid") == 0) {
		print_mistakes(f, style, parameters);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (strcmp(name, errors[i].name) != 0)
			continue;
		if (errors[i].key)
			(void)json_get_string(parameters, errors[i].key, &value);
		text = text_escape(style, errors[i].key ? value : "", TEXT_LINE_MAX);
		fprintf(f, "srphactl: %s%s%s\n", errors[i].before, text ? text : "?",
			errors[i].after);
		return;
	}
	text = text_escape(style, name, TEXT_LINE_MAX);
	fprintf(f, "srphactl: srpha answered with an error: %s\n", text ? text : "?");
}

void ctl_print_json(const struct ctl *ctl, struct json_object *o)
{
	int flags = ctl->watch ? JSON_C_TO_STRING_PLAIN
			       : JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;

	puts(json_object_to_json_string_ext(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
}

int ctl_call(const struct ctl *ctl, const char *method, struct json_object *parameters,
	     struct json_object **ret)
{
	_cleanup_(client_reply_clear) struct client_reply reply = { 0 };
	int r;

	r = client_call(ctl->socket, method, parameters, CLIENT_TIMEOUT_USEC, &reply);
	if (r < 0) {
		call_print_failure(stderr, &ctl->style, ctl->socket, r);
		return CTL_ERROR;
	}
	if (reply.error) {
		call_print_error(stderr, &ctl->style, reply.error, reply.parameters);
		if (ctl->json) {
			_cleanup_json_ struct json_object *o = json_object_new_object();

			json_put_string(o, "error", reply.error);
			json_object_object_add(o, "parameters", TAKE_PTR(reply.parameters));
			ctl_print_json(ctl, o);
		}
		return CTL_ERROR;
	}
	*ret = TAKE_PTR(reply.parameters);
	return CTL_OK;
}

int ctl_call_path(const struct ctl *ctl, const char *method, const char *done)
{
	_cleanup_json_ struct json_object *parameters = json_object_new_object(), *reply = NULL;
	_cleanup_free_ char *path = text_escape(&ctl->style, ctl->args[0], TEXT_LINE_MAX);
	int r;

	if (!parameters || !path)
		return CTL_ERROR;
	json_put_string(parameters, "path", ctl->args[0]);
	r = ctl_call(ctl, method, TAKE_PTR(parameters), &reply);
	if (r != CTL_OK)
		return r;
	if (ctl->json)
		ctl_print_json(ctl, reply);
	else
		printf("%s %s\n", path, done);
	return CTL_OK;
}
