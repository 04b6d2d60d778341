/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a manual page with the path table in place of its marker line, straight from the code:
 * path-table SOURCE OUTPUT. Built and run while building, not installed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "model/path_state.h"

#define MARKER ".\\\" STATE TABLE\n"

static void print_events(FILE *out, enum path_state from, enum path_state to)
{
	bool first = true;

	for (unsigned e = 0; e < PATH_EVENT_COUNT; e++) {
		struct path_step step = path_step(from, (enum path_event)e);

		if (step.kind != STEP_MOVE || step.next != to)
			continue;
		fprintf(out, "%s%s", first ? "" : ", ", path_event_name((enum path_event)e));
		first = false;
	}
	fprintf(out, "\n.br\n");
}

static bool leads(enum path_state from, enum path_state to)
{
	for (unsigned e = 0; e < PATH_EVENT_COUNT; e++) {
		struct path_step step = path_step(from, (enum path_event)e);

		if (step.kind == STEP_MOVE && step.next == to)
			return true;
	}
	return false;
}

static void print_table(FILE *out)
{
	fprintf(out, "What leads from one state to another, from the table in the code:\n");
	for (unsigned from = 0; from < PATH_STATE_COUNT; from++) {
		fprintf(out, ".TP\n.B %s\n", path_state_name((enum path_state)from));
		for (unsigned to = 0; to < PATH_STATE_COUNT; to++) {
			if (!leads((enum path_state)from, (enum path_state)to))
				continue;
			fprintf(out, "to\n.BR %s :\n", path_state_name((enum path_state)to));
			print_events(out, (enum path_state)from, (enum path_state)to);
		}
	}
}

int main(int argc, char **argv)
{
	bool found = false;
	char line[4096];
	FILE *in, *out;

	if (argc != 3)
		return 2;
	in = fopen(argv[1], "re");
	out = fopen(argv[2], "we");
	if (!in || !out)
		return 1;
	while (fgets(line, sizeof(line), in)) {
		if (strcmp(line, MARKER) != 0) {
			fputs(line, out);
			continue;
		}
		print_table(out);
		found = true;
	}
	fclose(in);
	return fclose(out) == 0 && found ? 0 : 1;
}
