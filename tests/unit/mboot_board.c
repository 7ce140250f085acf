#include "mboot_board.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/bytes.h"

void board_init(struct board *b)
{
	*b = (struct board){ .security = MBOOT_SECURITY_OPEN,
		.flash_size = 0x200000,
		.ram_size = 0x68000,
		.max_packet = 512,
		.fd = -1,
		.slave = -1 };
}

static void send_all(struct board *b, const uint8_t *p, size_t len)
{
	while (len && !atomic_load(&b->stop)) {
		ssize_t n = write(b->fd, p, len);
		if (n <= 0) {
			struct pollfd f = { .fd = b->fd, .events = POLLOUT };
			if (poll(&f, 1, 20) > 0 && (f.revents & (POLLHUP | POLLERR)))
				return;
			continue;
		}
		p += n;
		len -= (size_t)n;
	}
}

static void respond(struct board *b, uint8_t tag, const uint32_t *words, size_t n)
{
	uint8_t body[64] = { tag, 0, 0, (uint8_t)n }, frame[80];

	for (size_t i = 0; i < n; i++)
		put_le32(body + 4 + 4 * i, words[i]);
	send_all(b, frame, mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, body, 4 + 4 * n));
}

static void property(struct board *b, uint32_t id)
{
	uint32_t w[5] = { 0 };
	size_t n = 2;

	if (id == MBOOT_PROP_FLASH_SIZE)
		w[1] = b->flash_size;
	else if (id == MBOOT_PROP_RAM_SIZE)
		w[1] = b->ram_size;
	else if (id == MBOOT_PROP_MAX_PACKET_SIZE)
		w[1] = b->max_packet;
	else if (id == MBOOT_PROP_SECURITY_STATE)
		w[1] = b->security;
	else if (id == MBOOT_PROP_UNIQUE_DEVICE_ID)
		for (n = 1; n < 5; n++)
			w[n] = get_le32(b->uuid + 4 * (n - 1));
	else
		w[0] = 10300;
	respond(b, MBOOT_RSP_GET_PROPERTY, w, n);
}

struct phase {
	uint32_t left; /* of a data phase */
	uint8_t tag; /* whose it is */
	bool opening; /* the first response is on its way: the next ACK opens the phase */
};

static void command(struct board *b, const struct mboot_frame *f, struct phase *p)
{
	uint8_t ack[2];
	uint8_t tag = f->payload[0];
	uint32_t words[3] = { 0, tag, 0 };

	send_all(b, ack, mboot_frame_short(ack, MBOOT_FRAME_ACK));
	p->left = 0;
	p->tag = tag;
	p->opening = false;
	if (tag == MBOOT_CMD_GET_PROPERTY) {
		property(b, get_le32(f->payload + 4));
		return;
	}
	if (tag == MBOOT_CMD_FLASH_READ_ONCE) {
		words[1] = 4;
		words[2] = b->fuse;
		respond(b, MBOOT_RSP_FLASH_READ_ONCE, words, 3);
		return;
	}
	if (tag == MBOOT_CMD_RECEIVE_SB_FILE)
		p->left = get_le32(f->payload + 4);
	if (tag == MBOOT_CMD_WRITE_MEMORY)
		p->left = get_le32(f->payload + 8);
	p->opening = p->left > 0;
	respond(b, MBOOT_RSP_GENERIC, words, 2);
}

static void take_data(struct board *b, const struct mboot_frame *f, struct phase *p)
{
	uint8_t ack[2];
	uint32_t words[2] = { 0, p->tag };

	send_all(b, ack, mboot_frame_short(ack, MBOOT_FRAME_ACK));
	p->left -= f->len < p->left ? (uint32_t)f->len : p->left;
	if (p->left == 0)
		respond(b, MBOOT_RSP_GENERIC, words, 2);
}

static void serve(struct board *b, const struct mboot_frame *f, struct phase *p)
{
	static const struct mboot_version v = { .major = 1, .minor = 3, .name = 'P' };
	uint8_t pong[MBOOT_PING_RESPONSE_LEN];

	if (b->kind == BOARD_SILENT)
		return;
	if (b->kind == BOARD_NOISE) {
		send_all(b, (const uint8_t *)"login: \x5a\x5a\xa4\xff\xff", 12);
		return;
	}
	if (f->type == MBOOT_FRAME_PING)
		send_all(b, pong, mboot_frame_ping_response(pong, &v));
	else if (b->kind == BOARD_PINGS_ONLY)
		return;
	else if (f->type == MBOOT_FRAME_COMMAND)
		command(b, f, p);
	else if (f->type == MBOOT_FRAME_DATA && p->left)
		take_data(b, f, p);
}

static void *run(void *arg)
{
	struct board *b = arg;
	struct mboot_decoder *d = malloc(sizeof *d);
	struct phase phase = { 0 };

	mboot_decoder_init(d, MBOOT_MAX_PAYLOAD);
	while (!atomic_load(&b->stop)) {
		struct pollfd f = { .fd = b->fd, .events = POLLIN };
		struct mboot_frame frame;
		enum mboot_found found;
		size_t room;
		if (poll(&f, 1, 50) <= 0)
			continue;
		uint8_t *space = mboot_decoder_space(d, &room);
		ssize_t n = read(b->fd, space, room);
		if (n <= 0)
			break;
		atomic_fetch_add(&b->bytes, (unsigned long)n);
		mboot_decoder_added(d, (size_t)n);
		while ((found = mboot_decoder_next(d, &frame)) != MBOOT_FOUND_NOTHING)
			if (found == MBOOT_FOUND_FRAME)
				serve(b, &frame, &phase);
	}
	free(d);
	return NULL;
}

static void start(struct board *b)
{
	fcntl(b->fd, F_SETFL, fcntl(b->fd, F_GETFL) | O_NONBLOCK);
	if (pthread_create(&b->thread, NULL, run, b) != 0)
		abort();
}

void board_start_pty(struct board *b)
{
	struct termios t;

	b->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (b->fd < 0 || grantpt(b->fd) != 0 || unlockpt(b->fd) != 0 ||
		ptsname_r(b->fd, b->path, sizeof b->path) != 0)
		abort();
	b->slave = open(b->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (b->slave < 0 || tcgetattr(b->slave, &t) != 0)
		abort();
	cfmakeraw(&t);
	tcsetattr(b->slave, TCSANOW, &t);
	start(b);
}

int board_start_socket(struct board *b)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	b->fd = pair[0];
	start(b);
	return pair[1];
}

void board_unplug(struct board *b)
{
	if (b->fd < 0)
		return;
	atomic_store(&b->stop, true);
	pthread_join(b->thread, NULL);
	if (b->slave >= 0)
		close(b->slave);
	close(b->fd);
	b->fd = b->slave = -1;
}

void board_stop(struct board *b)
{
	board_unplug(b);
}
