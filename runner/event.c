#include "runner/event.h"

const char *event_port_name(enum event_port p)
{
	switch (p) {
	case EVENT_PORT_FOUND:
		return "found";
	case EVENT_PORT_ANSWERS:
		return "answers";
	case EVENT_PORT_SILENT:
		return "no-answer";
	case EVENT_PORT_UNUSABLE:
		return "unusable";
	case EVENT_PORT_WAITING:
		return "waiting";
	case EVENT_PORT_GONE:
		return "gone";
	}
	return "found";
}

const char *device_result_name(enum device_result r)
{
	switch (r) {
	case DEVICE_PASS:
		return "pass";
	case DEVICE_FAIL:
		return "fail";
	case DEVICE_INTERRUPTED:
		return "interrupted";
	}
	return "fail";
}

void event_send(struct event_sink *sink, struct event *e)
{
	if (queue_try_push(sink->queue, e))
		return;
	json_decref(e->json);
	if (e->kind != EVENT_PROGRESS)
		atomic_fetch_add(&sink->lost, 1);
}

void event_send_sure(struct event_sink *sink, struct event *e)
{
	if (!queue_push(sink->queue, e))
		json_decref(e->json);
}
