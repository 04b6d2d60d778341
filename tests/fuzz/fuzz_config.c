/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as srpha.conf: a verdict, never a crash; and no refusal without a word. */
#include <errno.h>
#include <stdlib.h>

#include "config/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors errors = { 0 };
	struct config *config = NULL;
	int r = config_load_text("fuzz", (const char *)data, size, &config, &errors);

	if ((r == 0) != (config != NULL) || (r == -EINVAL) != (errors.total > 0))
		abort();
	if (config)
		(void)config_port_selected(config->ports, "mlx5_0:1");
	config_errors_clear(&errors);
	config_free(config);
	return 0;
}
