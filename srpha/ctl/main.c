/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/command.h"

#define DEFAULT_SOCKET "/run/srpha/io.srpha"

/* Options that only some commands know. */
enum {
	TAKES_WATCH = 1 << 0,
	TAKES_CONFIG = 1 << 1,
	TAKES_DISCOVER = 1 << 2,
};

static const struct command {
	const char *name;
	const char *argument; /* what its one argument is called, or NULL */
	unsigned takes;
	int (*run)(const struct ctl *ctl);
	const char *summary;
} commands[] = {
	{ "status", NULL, TAKES_WATCH, command_status, "ports, targets, paths, LUNs and maps" },
	{ "discover", NULL, TAKES_CONFIG | TAKES_DISCOVER, command_discover,
	  "what the InfiniBand fabric offers" },
	{ "failover", "PATH", 0, command_failover, "take I/O off a path until it answers again" },
	{ "drain", "PATH", 0, command_drain, "take I/O off a path and keep it off" },
	{ "undrain", "PATH", 0, command_undrain, "let a drained path come back" },
	{ "reload", NULL, 0, command_reload, "read the configuration again" },
	{ "check", NULL, TAKES_CONFIG, command_check, "look for mistakes in the configuration" },
};

static void help(void)
{
	puts("srphactl [OPTION...] COMMAND [PATH]\n\n"
	     "Asks and steers srpha, the SRP multipath manager.\n\n"
	     "Commands:");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-9s%-6s%s\n", commands[i].name,
		       commands[i].argument ? commands[i].argument : "", commands[i].summary);
	printf("\nOptions:\n"
	       "  --json           print JSON\n"
	       "  --watch          status: again every second until interrupted\n"
	       "  --all            discover: also what is connected or denied by a rule\n"
	       "  --connection     discover: a line each, as add_target takes it\n"
	       "  --initiator-ext  discover: and with the initiator_ext srpha would use\n"
	       "  --port GLOBS     discover: only on these HCA ports, such as mlx5_0:1\n"
	       "  --now            discover: scan, though the daemon has a list\n"
	       "  --config FILE    check, discover: this file instead of %s\n"
	       "  --socket PATH    the daemon's socket (default: $SRPHA_SOCKET or %s)\n"
	       "  --help, --version\n\n"
	       "Exit status: 0 healthy or done, 3 degraded, 4 a map has no usable path, 1 error.\n",
	       SRPHA_CONFIG, DEFAULT_SOCKET);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int misuse(const char *what)
{
	fprintf(stderr, "srphactl: %s; see srphactl --help\n", what);
	return CTL_ERROR;
}

/* As in the configuration: several, with blanks between them. */
static int add_glob(char *globs, size_t size, const char *glob)
{
	size_t n = strlen(globs);

	return (size_t)snprintf(globs + n, size - n, "%s%s", n ? " " : "", glob) < size - n ? 0
											    : -1;
}

static struct style choose_style(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	setlocale(LC_CTYPE, "");
	return (struct style){
		.colour = isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
			  !(term && strcmp(term, "dumb") == 0),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}

static int run(const struct command *command, struct ctl *ctl, int n_args, char **args)
{
	if (ctl->watch && !(command->takes & TAKES_WATCH))
		return misuse("--watch is for status only");
	if (ctl->config && !(command->takes & TAKES_CONFIG))
		return misuse("--config is for check and discover only");
	if ((ctl->all || ctl->connection || ctl->initiator_ext || ctl->fresh || ctl->port) &&
	    !(command->takes & TAKES_DISCOVER))
		return misuse("--all, --connection, --initiator-ext, --port and --now are for "
			      "discover only");
	if (n_args < (command->argument ? 1 : 0))
		return misuse("this command needs a path, as srphactl status names it");
	if (n_args > (command->argument ? 1 : 0))
		return misuse("too many arguments");
	if (!ctl->config)
		ctl->config = SRPHA_CONFIG;
	ctl->args = args;
	return command->run(ctl);
}

int main(int argc, char **argv)
{
	enum {
		OPT_SOCKET = 256,
		OPT_JSON,
		OPT_WATCH,
		OPT_CONFIG,
		OPT_HELP,
		OPT_VERSION,
		OPT_ALL,
		OPT_CONNECTION,
		OPT_INITIATOR_EXT,
		OPT_PORT,
		OPT_NOW,
		OPT_PROGRAM_DIR,
		OPT_ROOT
	};
	static const struct option options[] = {
		{ "socket", required_argument, NULL, OPT_SOCKET },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "watch", no_argument, NULL, OPT_WATCH },
		{ "config", required_argument, NULL, OPT_CONFIG },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "connection", no_argument, NULL, OPT_CONNECTION },
		{ "initiator-ext", no_argument, NULL, OPT_INITIATOR_EXT },
		{ "port", required_argument, NULL, OPT_PORT },
		{ "now", no_argument, NULL, OPT_NOW },
		{ "program-dir", required_argument, NULL, OPT_PROGRAM_DIR },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "help", no_argument, NULL, OPT_HELP },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ 0 },
	};
	const char *socket = getenv("SRPHA_SOCKET");
	struct ctl ctl = { .socket = socket && *socket ? socket : DEFAULT_SOCKET,
			   .program_dir = SRPHA_PROGRAM_DIR,
			   .root = "/",
			   .style = choose_style() };
	const struct command *command;
	char globs[1024] = "";
	int c, r;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case OPT_SOCKET:
			ctl.socket = optarg;
			break;
		case OPT_JSON:
			ctl.json = true;
			break;
		case OPT_WATCH:
			ctl.watch = true;
			break;
		case OPT_CONFIG:
			ctl.config = optarg;
			break;
		case OPT_ALL:
			ctl.all = true;
			break;
		case OPT_CONNECTION:
			ctl.connection = true;
			break;
		case OPT_INITIATOR_EXT:
			ctl.initiator_ext = true;
			break;
		case OPT_PORT:
			if (add_glob(globs, sizeof(globs), optarg) < 0)
				return misuse("too many --port");
			ctl.port = globs;
			break;
		case OPT_NOW:
			ctl.fresh = true;
			break;
		case OPT_PROGRAM_DIR: /* of a build tree */
			ctl.program_dir = optarg;
			break;
		case OPT_ROOT: /* of a test */
			ctl.root = optarg;
			break;
		case 'h':
		case OPT_HELP:
			help();
			return CTL_OK;
		case OPT_VERSION:
			puts("srphactl " SRPHA_VERSION);
			return CTL_OK;
		default:
			return CTL_ERROR;
		}
	}
	if (optind == argc)
		return misuse("what is to be done?");
	command = find_command(argv[optind]);
	if (!command)
		return misuse("there is no such command");
	r = run(command, &ctl, argc - optind - 1, argv + optind + 1);
	/* A report that nobody could read is not a success. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("srphactl: cannot write");
		return CTL_ERROR;
	}
	return r;
}
