/* What the programs of the attack table share: good logs to attack, and asking the verifier. */
#ifndef TESTS_UNIT_EVIDENCE_ATTACK_H
#define TESTS_UNIT_EVIDENCE_ATTACK_H

#include <stdbool.h>

#include "evidence/audit.h"
#include "evidence_log.h"

extern struct audit_result attack_result; /* of the last question */
extern struct ev_log attack_base; /* a good, closed log of three devices and four epochs */
extern struct ev_log attack_receipts; /* one of three devices with receipts */
extern uint8_t attack_ca[64]; /* DICE CA of those */

int attack_make_logs(void **state); /* group setup and teardown */
int attack_drop_logs(void **state);

/* attack_judge - verify a log: this verdict, and this attack named at this leaf (-1: any). With
 * EV_CORPUS=DIR the log is left there, with what was wanted in DIR/index (name, verdict, attack,
 * further arguments), for other verifiers. */
void attack_judge(const char *name, const char *path, const struct audit_expect *x,
	enum audit_verdict verdict, const char *attack, int64_t leaf);
void attack_fails(const char *name, const char *path, const char *attack, int64_t leaf);
/* attack_sql - run SQL on a copy of the good log, which must then fail. */
void attack_sql(const char *name, const char *text, const char *attack, int64_t leaf);
bool attack_found(const char *attack, int64_t leaf);
struct audit_expect attack_oem(void); /* the OEM key of the good logs */

#endif
