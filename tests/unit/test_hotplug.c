/* When a session looks for ports again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/hotplug.h"

#define NEVER 1000000

static int set_up(void **state)
{
	*state = hotplug_new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	hotplug_free(*state);
	return 0;
}

static void nothing_at_first(void **state)
{
	assert_int_equal(hotplug_due(*state, NEVER, NEVER), HOTPLUG_NOTHING);
}

static void names_often_all_seldom(void **state)
{
	assert_int_equal(hotplug_due(*state, 0, NEVER), HOTPLUG_NAMES);
	assert_int_equal(hotplug_due(*state, NEVER, 0), HOTPLUG_ALL);
	assert_int_equal(hotplug_due(*state, NEVER, NEVER), HOTPLUG_NOTHING);
}

/* A port whose worker has ended is looked for soon, and once. The earlier wish counts. */
static void soon(void **state)
{
	hotplug_soon(*state, NEVER);
	assert_int_equal(hotplug_due(*state, NEVER, NEVER), HOTPLUG_NOTHING);
	hotplug_soon(*state, 0);
	hotplug_soon(*state, NEVER);
	assert_int_equal(hotplug_due(*state, NEVER, NEVER), HOTPLUG_ALL);
	assert_int_equal(hotplug_due(*state, NEVER, NEVER), HOTPLUG_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_at_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_often_all_seldom, set_up, tear_down),
		cmocka_unit_test_setup_teardown(soon, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
