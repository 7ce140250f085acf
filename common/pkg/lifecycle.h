/* lifecycle - names and order of the life cycle states of a device, as manifests, scripts and logs
 * write them. The order is the order in which a device passes through them. */
#ifndef COMMON_PKG_LIFECYCLE_H
#define COMMON_PKG_LIFECYCLE_H

enum lifecycle {
	LIFECYCLE_BLANK,
	LIFECYCLE_DEVELOP,
	LIFECYCLE_DEVELOP2,
	LIFECYCLE_IN_FIELD,
	LIFECYCLE_IN_FIELD_LOCKED,
	LIFECYCLE_FIELD_RETURN_OEM,
	LIFECYCLE_FAILURE_ANALYSIS,
	LIFECYCLE_BRICKED,
};

#define LIFECYCLE_COUNT 8

const char *lifecycle_name(enum lifecycle l); /* "in-field" */
int lifecycle_parse(enum lifecycle *out, const char *name); /* 0, or -1 for an unknown name */

#endif
