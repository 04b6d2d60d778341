/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trap.h"

#include "carry.h"
#include "history.h"

#define TRAP_INTERVAL_NSEC (250 * NSEC_PER_MSEC)
#define TRAP_REPEATS 20

enum {
	TYPE_URGENT = 1,
	TYPE_INFORMATIONAL = 4,
	PRODUCER_CA = 1,
	PRODUCER_SWITCH = 2,
	LINK_STATE = 128,
	CAPABILITY = 144,
};

static void fill_notice(const struct port *p, uint8_t *notice)
{
	bool link = p->trap_num == LINK_STATE;

	notice[0] = 0x80 | (link ? TYPE_URGENT : TYPE_INFORMATIONAL);
	notice[3] = p->node->type == NODE_SWITCH ? PRODUCER_SWITCH : PRODUCER_CA;
	put16(notice + 4, p->trap_num);
	put16(notice + 6, port_lid(p));
	if (link) {
		put16(notice + 10, port_lid(p));
	} else {
		put16(notice + 12, port_lid(p));
		put32(notice + 16, port_cap_mask(p));
	}
}

static void trap_send(struct fabric *f, struct port *p)
{
	uint8_t mad[MAD_SIZE] = { 1, CLASS_SM_LID, 1, METHOD_TRAP };

	put64(mad + MAD_TID, p->trap_tid);
	put16(mad + MAD_ATTR, ATTR_NOTICE);
	fill_notice(p, mad + SMP_DATA);
	carry_smp_lid(f, p, port_sm_lid(p), mad);
}

static void on_repeat(struct timer *t)
{
	struct port *p = (struct port *)((char *)t - offsetof(struct port, trap_timer));
	struct fabric *f = p->node->fabric;

	if (p->node->removed || p->trap_repeats == 0)
		return;
	p->trap_repeats--;
	trap_send(f, p);
	timer_set(f->loop, &p->trap_timer, loop_now(f->loop) + TRAP_INTERVAL_NSEC);
}

static void trap_start(struct fabric *f, struct port *p, uint16_t num)
{
	char name[NAME_SIZE + 8];

	/* Nobody to tell yet; a subnet manager that comes looks at everything anyway. */
	if (!port_lid(p) || !port_sm_lid(p))
		return;
	p->trap_num = num;
	p->trap_tid = (uint64_t)fabric_random(f) << 32 | fabric_random(f);
	p->trap_repeats = TRAP_REPEATS;
	p->trap_timer.on_time = on_repeat;
	timer_set(f->loop, &p->trap_timer, loop_now(f->loop) + TRAP_INTERVAL_NSEC);
	trap_send(f, p);
	history_add(f, "trap %u from %s", num, port_name(p, name));
}

void trap_link_state(struct fabric *f, struct port *p)
{
	p->node->switch_info[11] |= 0x04; /* PortStateChange */
	trap_start(f, &p->node->ports[0], LINK_STATE);
}

void trap_capability(struct fabric *f, struct port *p)
{
	trap_start(f, p, CAPABILITY);
}

void trap_repressed(struct fabric *f, struct port *p, const uint8_t *notice)
{
	if (get16(notice + 4) == p->trap_num)
		timer_clear(f->loop, &p->trap_timer);
}
