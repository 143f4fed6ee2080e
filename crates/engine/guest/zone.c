/* The session's time zone: how local times differ from UTC, by offsets that the host computes.
 *
 * An offset holds for months, so the last few are remembered with the times between which they hold. */
#include <stdio.h>
#include <stdlib.h>

#include "guest.h"

#define LONGEST_NAME 64
#define DAY_MS 86400000

static char name[LONGEST_NAME + 1];
static size_t name_len; /* 0: UTC */

/* An offset in seconds that holds from a time, in milliseconds, until another. */
static struct span {
    int64_t from, until;
    int32_t seconds;
} spans[4];
static int next_span;

void zone_set(size_t len)
{
    memset(spans, 0, sizeof(spans));
    name_len = len;
    if (len == 0)
        return;
    if (len > LONGEST_NAME)
        __builtin_trap();
    host_copy_parcel(PARCEL_ZONE, name);
    name[len] = 0;
}

const char *zone_name(void)
{
    return name_len ? name : "UTC";
}

static int32_t offset_at(int64_t time)
{
    char text[96];
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
        if (spans[i].from <= time && time < spans[i].until)
            return spans[i].seconds;
    int asked = snprintf(text, sizeof(text), "%lld", (long long)time);
    int32_t len = host_compute(QUESTION_ZONE_OFFSET, name, name_len, text, asked);
    if (len < 0 || len >= (int32_t)sizeof(text))
        __builtin_trap(); /* the host knew the zone when the cell began */
    host_copy_parcel(PARCEL_REPLY, text);
    text[len] = 0;
    char *at = text;
    struct span *span = &spans[next_span++ % (sizeof(spans) / sizeof(spans[0]))];
    span->seconds = strtol(at, &at, 10);
    span->from = strtoll(at, &at, 10);
    span->until = strtoll(at, &at, 10);
    return span->seconds;
}

int carrel_zone_offset(int64_t time)
{
    return name_len ? -(offset_at(time) / 60) : 0;
}

/* A local time that comes twice is the first of the two; one that is skipped is taken by the offset before the gap. */
int carrel_zone_offset_of_local(int64_t local)
{
    if (!name_len || local < INT64_MIN / 2 || local > INT64_MAX / 2)
        return 0;
    int32_t before = offset_at(local - DAY_MS), after = offset_at(local + DAY_MS);
    if (before != after && offset_at(local - before * INT64_C(1000)) != before &&
        offset_at(local - after * INT64_C(1000)) == after)
        before = after;
    return -(before / 60);
}
