/* A hostile host at the simulated device. The input is a list of records: a byte that says what,
 * u16 length, content. CRCs are made right where a wrong one would end the matter, and a record can
 * be the decrypted stream of an SB3.1 file, which no fuzzer could sign. */
#include <stdlib.h>
#include <string.h>
#include <sodium.h>

#include "base/bytes.h"
#include "tests/sim/device.h"
#include "tests/sim/sb_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct sim_device *d, const uint8_t *p, size_t len)
{
	static struct sim_chunk out;

	while (len) {
		while (sim_device_transmit(d, &out))
			;
		size_t n = sim_device_receive(d, p, len);
		p += n;
		len -= n;
		d->now_us += 10;
	}
	while (sim_device_transmit(d, &out))
		;
}

static void stream(struct sim_device *d, const uint8_t *p, size_t len, bool devhsm)
{
	struct sim_sb_stream s;
	struct sim_session share = { 0 };
	uint32_t status;

	sim_session_derive(&share, &d->roots, d->roots.die);
	sim_sb_stream_init(&s, d, devhsm ? &share : NULL, len);
	status = len >= 16 ? sim_sb_stream_push(&s, p, len) : 1;
	if (status == 0)
		(void)sim_sb_stream_finish(&s);
	sim_sb_stream_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t frame[6 + 0xFFFF];
	struct sim_options o = { .chip = sim_chip_find("mcxn946"), .max_packet = 64 };
	struct sim_device *d;
	struct rd r = rd_of(data, size);

	if (sodium_init() < 0 || sim_device_new(&d, &o, 0, NULL) != 0)
		abort();
	if (size && data[0] & 0x80)
		sim_fuse_set_lifecycle(&d->fuses, SIM_LC_IN_FIELD);
	d->now_us = 1;
	sim_device_power_on(d);
	while (r.left) {
		uint8_t what = rd_u8(&r);
		size_t len = rd_le16(&r);
		const uint8_t *p = rd_bytes(&r, len < r.left ? len : r.left);
		if (!p)
			break;
		len = (size_t)(r.p - p);
		switch (what & 0x7F) {
		case 0:
			feed(d, p, len);
			break;
		case 1:
			feed(d, frame, mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, p, len));
			break;
		case 2:
			feed(d, frame, mboot_frame_encode(frame, MBOOT_FRAME_DATA, p, len));
			break;
		case 3:
			feed(d, (const uint8_t[]){ 0x5A, MBOOT_FRAME_ACK }, 2);
			break;
		case 4:
			stream(d, p, len, false);
			break;
		case 5:
			stream(d, p, len, true);
			break;
		case 6:
			sim_device_lose_power(d, 1);
			break;
		default:
			d->now_us += 100000;
			break;
		}
		if (d->now_us >= sim_device_deadline(d))
			sim_device_tick(d);
		if (d->mode == SIM_MODE_APPLICATION)
			sim_device_reset(d);
	}
	sim_device_free(d);
	return 0;
}
