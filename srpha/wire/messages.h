/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vocabulary between supervisor, workers and actors. Every message is a JSON object with a
 * string "msg". Keys are snake_case; times are microseconds ("_usec"); GUIDs are 16 hexadecimal
 * digits, GIDs 32; a portal is "10.0.0.2:5555". A receiver that finds a field missing or of the
 * wrong type drops the message and says so once.
 *
 * Supervisor to worker
 *   config  { portals: [ { id: u64, dest: string,
 *                          id_ext?: guid, ioc_guid?: guid,      what the configuration fixes
 *                          interval_usec, timeout_usec (0 = auto), misses,
 *                          answered: bool,   it answered before this worker lived
 *                          gid?: gid         where it was then, until its neighbour tells
 *                        } ... ] }
 *           The whole list each time: the worker compares it with what it has by `id`. `id` is the
 *           supervisor's handle of a portal and comes back in every report about it.
 *   tempo   { id, fast: bool }   probe this portal at once and closely (true: a path on it is
 *           down and waits for its return, or just came back), or at its normal interval.
 *
 * Worker to supervisor
 *   hello   { pid, port: "rxe0:1" }                          first, once
 *   port    { state: "ACTIVE"|"DOWN"|"INIT"|"ARMED"|"ACTIVE_DEFER"|"GONE", link_layer: "Ethernet"|
 *             "InfiniBand", netdev?: string, gid?: gid, source: "event"|"sysfs"|"start" }
 *           On every change. GONE: the device was removed; the worker exits after it.
 *   portal  { id, routed: bool, gid?: gid, id_ext?: guid, ioc_guid?: guid,
 *             probe: "possible"|"impossible", why?: string }
 *           What is known of a portal on this port, at first and on every change. routed: this
 *           port's interface routes to it. gid: the target port's GID, where the neighbour told.
 *           id_ext and ioc_guid: from the Device Management agent or as configured; absent while
 *           unknown. why: words for the administrator when something is missing.
 *   probe   { id, result: "answered"|"miss"|"dead", misses, elapsed_usec }
 *           answered: the first answer, or the first after a miss. miss: a probe had no answer in
 *           time. dead: `misses` of them in a row (repeated while it lasts, on every full round).
 *           A target port that never answered, not even before this worker lived, is never
 *           reported as miss or dead. The first answer after `tempo` with fast: true is reported
 *           too, whether there was a miss before it or not.
 *   stats   { portals: [ { id, sent, answered, missed, srtt_usec, timeout_usec, max_usec } ... ] }
 *           Every second, for `srphactl status`.
 *   problem { text }      one line for the journal; each kind at most once until it changes.
 *
 * Supervisor to actor: exactly one request; actor to supervisor: `started` and then one `done`.
 *   login   { port: "rxe0:1", options: string, fast_io_fail_tmo, reconnect_delay, dev_loss_tmo,
 *             deadline_usec }       timeouts as sysfs strings: "5", "off"
 *   fail    { host: "host3", rport: "port-3:1", instance?: u64, sg: [ "sg1", ... ],
 *             maps: [ { name, uuid, paths: [ "8:16", ... ] } ... ],
 *             reset: bool, interrupt_usec, reconnect_hold?: "600", deadline_usec }
 *   rejoin  { host, rport, instance?, reconnect: bool, force?: bool (though it runs),
 *             luns: [ { sg: "sg1", devno: "8:16", disk: "sdb" } ... ],
 *             maps: [ { name, uuid, paths: [...] } ], reconnect_delay: "10",
 *             deadline_usec, multipathd: bool }
 *           Both take dest? and gid?: the portal and the target port's GID, whose MAC address is
 *           written into the neighbour table before a reset (actor/pin.h).
 *           instance: of the host's sysfs directory; another one is another session: -ESTALE
 *   timeouts{ rport, fast_io_fail_tmo, reconnect_delay, dev_loss_tmo }
 *   logout  { rport }               writes rport delete
 *
 *   started { pid }                 the request was read
 *   done    { ok: bool, error?: string (words), errno?: u64, elapsed_usec,
 *             login: host?: "host5"; fail: rport_state, failed: [devno], dm_usec, reset_usec;
 *             rejoin: rport_state, reinstated: [devno], not_ready: [devno] }
 */
#pragma once

#define MSG_CONFIG "config"
#define MSG_TEMPO "tempo"
#define MSG_HELLO "hello"
#define MSG_PORT "port"
#define MSG_PORTAL "portal"
#define MSG_PROBE "probe"
#define MSG_STATS "stats"
#define MSG_PROBLEM "problem"
#define MSG_LOGIN "login"
#define MSG_FAIL "fail"
#define MSG_REJOIN "rejoin"
#define MSG_TIMEOUTS "timeouts"
#define MSG_LOGOUT "logout"
#define MSG_STARTED "started"
#define MSG_DONE "done"

/* The socket a child finds its supervisor on. */
#define CHILD_SOCKET_FD 3
