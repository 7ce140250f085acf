/* station - the state folder of one factory station: its name, its keys, its files.
 *
 *   DIR/station.json            name and verifier key (schema station.schema.json)
 *   DIR/station.key             Ed25519 secret that signs every checkpoint of this station, 0600
 *   DIR/order-key/ID.key        epoch keys shown to the OEM and not used by an order yet
 *   DIR/trust/ packages/ orders/ unordered/ slots.json marks.json     see the modules that own them
 *   DIR/lock                    held (flock) by the process that works with the station
 *
 * The keys belong to the factory: they say "this station wrote it", nothing about the OEM.
 * One struct station per process, used by one thread. Files appear whole or not at all, 0600;
 * folders 0700.
 */
#ifndef RUNNER_STATION_H
#define RUNNER_STATION_H

#include <stdbool.h>

#include "base/cli.h"
#include "base/err.h"
#include "evidence/note.h"

#define STATION_NAME_MAX 64 /* it is part of the origin of unordered logs */

struct station {
	char *dir;
	char name[STATION_NAME_MAX + 1];
	struct vkey key; /* under the station's own name */
	struct log_key *secret; /* NULL unless opened with STATION_WORK */
	int lock; /* fd, -1 unless opened with STATION_WORK */
};

enum station_use {
	STATION_LOOK, /* read: no lock, no secret */
	STATION_WORK, /* change or sign: exclusive lock, secret loaded */
};

/* station_folder - the state folder: --state, else $XDG_STATE_HOME/mfgpkg-runner, else
 * ~/.local/state/mfgpkg-runner. malloc'ed; NULL with ERR_ENV. */
char *station_folder(const struct cli *c, struct err *e) CHECKED;

/* station_init - make the folder, the station key and the first order key. An existing station is
 * refused (ERR_USAGE): its key is in the hands of the OEM already. */
int station_init(const char *dir, const char *name, struct err *e) CHECKED;

/* station_open - ERR_USAGE: no station there yet; ERR_ENV: in use by another process, damaged. */
int station_open(struct station *out, const char *dir, enum station_use use, struct err *e) CHECKED;
void station_close(struct station *s); /* releases the lock; no-op on a zeroed or closed one */

/* station_path - malloc'ed DIR/fmt...; NULL only when memory is out. */
char *station_path(const struct station *s, const char *fmt, ...) PRINTF_LIKE(2);

/* station_check_writable - prove that a transaction's worth of bytes can be written and synced, so
 * that a full or read-only disk is found before a device is touched. ERR_ENV. */
int station_check_writable(const struct station *s, struct err *e) CHECKED;

/* Order keys. An order names the first epoch key of its log; the station prepares it. The unused
 * ones lie in order-key/, the newest is the one shown.
 *   station_order_key       its verifier key, under the station's name; ERR_ENV when there is none
 *   station_order_key_new   one more unused key (the OEM wants to sign several orders in advance)
 *   station_order_key_take  copy the key that an order names into `to` (a new file); station_order_
 *                           key_used removes it from the pool, and makes the next when it was the
 *                           last: the copy is durable first. ERR_REJECTED when the station has no
 * such key.
 */
int station_order_key(const struct station *s, struct vkey *out, struct err *e) CHECKED;
int station_order_key_new(const struct station *s, struct err *e) CHECKED;
int station_order_key_take(
	const struct station *s, const uint8_t key[32], const char *to, struct err *e) CHECKED;
int station_order_key_used(const struct station *s, const uint8_t key[32], struct err *e) CHECKED;

#endif
