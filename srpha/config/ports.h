/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of HCA port globs: is one well formed. Matching is config_port_selected() in config.h. */
#pragma once

/* 0, -EINVAL (empty, or an item that can name no port), -E2BIG (over CONFIG_PORT_GLOBS_MAX). */
int ports_verify(const char *globs);
