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
 *           On an InfiniBand port an entry names a target port by its GID, and the partition; the
 *           worker knows from the fabric how to get there (lid: a hint until it does):
 *                        { id: u64, gid: gid, pkey: 1..65535, lid?: u64,    (0: not known)
 *                          interval_usec, timeout_usec, misses, answered }
 *           discovery?: { enabled: bool, window?: 1..512, window_per_peer?: 1..64,
 *                         mad_timeout_usec?, mad_retries?: 0..15, rescan_usec? (0 = never),
 *                         ageing_usec? }
 *           What to do on an InfiniBand port; without it, or on another port, nothing is scanned.
 *   rescan  { }                  scan now (one that is under way is finished, then another begins)
 *   tempo   { id, fast: bool }   probe this portal at once and closely (true: a path on it is
 *           down and waits for its return, or just came back), or at its normal interval.
 *
 * Worker to supervisor
 *   hello   { pid, port: "rxe0:1" }                          first, once
 *   port    { state: "ACTIVE"|"DOWN"|"INIT"|"ARMED"|"ACTIVE_DEFER"|"GONE", link_layer: "Ethernet"|
 *             "InfiniBand", netdev?: string, gid?: gid, source: "event"|"sysfs"|"start",
 *             lid?: u64, sm_lid?: u64 }
 *           On every change. lid, sm_lid: on InfiniBand, once the subnet manager has set them and
 *           discovery uses them. GONE: the device was removed; the worker exits after it.
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
 *   offers  { generation, part: 0.., parts, complete: bool, offers: [ offer ... ] }
 *           One page of all that the fabric offers on an InfiniBand port (wire/offer.h has the
 *           fields and puts pages together). All pages each time, when the set has changed or was
 *           not told yet: while a scan lasts, at its end, after a notice. A page of another
 *           generation than the one before begins a new set; a set of which pages are missing is
 *           superseded by the next. What the fabric did not answer for is kept for the ageing time
 *           and is in the set like any other.
 *           complete: what is not in the set is not there. Otherwise it may only be unknown: a scan
 *           is under way, the SA did not answer, or a target port is silent for less than the
 *           ageing time and nothing is known of it.
 *   scan    { generation, elapsed_usec, nodes, targets, silent, sent, timeouts, malformed, offers,
 *             complete: bool, reason: "start"|"port"|"request"|"timer"|"notice", notices: bool,
 *             why?: string }
 *           A scan has ended, after its `offers` if the set had changed. generation is that of the
 *           last set told; nodes: end ports that the SA listed; targets: those of them that were
 *           asked; silent: those that did not answer; sent, timeouts, malformed: datagrams; offers:
 *           how many there are; reason: what it was started by; notices: the subnet manager tells
 *           of changes; why: words for the administrator when it is not complete.
 *   notice  { kind: "in-service"|"out-of-service"|"capability", gid?: gid, lid?: u64,
 *             elapsed_usec }
 *           The subnet manager's word about an end port, at once. elapsed_usec: since its arrival
 *           here. out-of-service: paths to that GID are lost. For the others the worker asks that
 *           port, and tells `offers` if something has changed.
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
#define MSG_RESCAN "rescan"
#define MSG_HELLO "hello"
#define MSG_PORT "port"
#define MSG_PORTAL "portal"
#define MSG_PROBE "probe"
#define MSG_STATS "stats"
#define MSG_OFFERS "offers"
#define MSG_SCAN "scan"
#define MSG_NOTICE "notice"
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
