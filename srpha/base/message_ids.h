/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message ids of the journal: one for each thing an administrator may want to search or alarm on.
 * systemd/srpha.catalog explains every one of them; a test holds the two together. An id, once
 * released, never changes its meaning.
 */
#pragma once

/* Every change of a path's state: with SRPHA_OLD_STATE, _EVENT and _NEW_STATE. */
#define MESSAGE_STATE_CHANGE "a46f776b47ad49f9be8d3a8edd7271e0"
/* I/O was taken off a path. */
#define MESSAGE_PATH_FAILED "4253d47a9c474ba6b8e4428190a24a66"
/* A path carries I/O again. */
#define MESSAGE_PATH_REJOINED "fe09b5939c6047a0937dc7429a736389"
/* A path fails again and again and stays out until it was stable for a while. */
#define MESSAGE_PATH_HELD "55836998409643fb90f7fe382ba59358"
/* A path should have been failed and was not: it is the last usable one of a map. */
#define MESSAGE_LAST_PATH_KEPT "1fa4f60e3b56432db33d656e696980f1"
#define MESSAGE_LOGIN_OK "bff211cb357e4c3da4bf235804bada3b"
#define MESSAGE_LOGIN_FAILED "02a03ca3e0a24c058b42251cce066b8e"
/* A discovery worker ended or hung; sessions are not touched by that. */
#define MESSAGE_WORKER_DIED "e31867f09d384ee7aea10a8690b8ff05"
/* The configuration has mistakes; the one in use stays. */
#define MESSAGE_CONFIG_INVALID "f0122412c4a04f76bb8f95421e4c6fbc"
/* A kernel action did not come back by its deadline; its process is left behind. */
#define MESSAGE_ACTOR_ABANDONED "a8aa61eee31a4ed5884001e099f6e703"
