/* The border of the guest: what it asks of the host, and the numbers both sides share.
 *
 * The host's half is `src/border.rs`; a number changed here is changed there. An import only appends to
 * the list of effects, reads from the values that the session stored before the cell began, or computes. None tells
 * the time, draws a random number or waits, so the same events always leave the same memory. */
#ifndef CARREL_HOST_H
#define CARREL_HOST_H

#include <stddef.h>
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("carrel"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

enum effect {
    EFFECT_TOOL_CALL = 1, /* small: index of the tool; number: handle of the call; a: input as JSON or empty; in place of
                             b: the line of the cell that calls, 0 when none does, and, as its length, the column */
    EFFECT_TEXT = 2,      /* small: level, 0 for text(); a: text */
    EFFECT_IMAGE = 3,     /* a: base64; b: media type */
    EFFECT_AUDIO = 4,     /* a: base64; b: media type */
    EFFECT_BLOCK = 5,     /* a: MCP content block as JSON */
    EFFECT_NOTIFY = 6,    /* a: text */
    EFFECT_STORE = 7,     /* a: key; b: value as JSON */
    EFFECT_SET_TIMER = 8, /* small: delay in milliseconds; number: id of the timer */
    EFFECT_CLEAR_TIMER = 9, /* number: id of the timer */
    EFFECT_YIELD = 10,
    EFFECT_WARNING = 11,  /* a: text */
    EFFECT_END = 12,      /* small: an `ending`; number: 1 when the VM takes a further cell; a: result or error as JSON, or empty */
    /* Questions about the tools; their handles are answered as those of calls are. */
    EFFECT_SEARCH = 13,   /* small: how many tools at most; number: handle; a: query */
    EFFECT_DESCRIBE = 14, /* number: handle; a: indices of tools, separated by commas */
    /* Of the dialect of Codex. */
    EFFECT_IMAGE_URL = 15, /* small: detail, 0 auto, 1 low, 2 high, 3 original; a: URL */
    EFFECT_AUDIO_URL = 16, /* a: URL */
};

/* What a start may ask for. */
enum dialect { DIALECT_CARREL = 0, DIALECT_CODEX = 1 };

enum ending {
    ENDING_COMPLETED = 0,
    ENDING_EXITED = 1,
    ENDING_SYNTAX = 2,
    ENDING_THROWN = 3,
    ENDING_UNSETTLED = 4,
    ENDING_OUT_OF_MEMORY = 5, /* a: the error, if one could be described */
};

/* What an event returns: whether the cell has ended. */
enum turn { TURN_IDLE = 0, TURN_ENDED = 1 };

IMPORT("effect")
void host_effect(int32_t kind, int32_t small, int64_t number, const char *a, size_t a_len, const char *b, size_t b_len);

/* Asks the host what it can work out from two strings alone, and always in the same way (see src/compute). Returns
 * the length of the reply, or, when there is none, -1 minus the length of the reason. */
IMPORT("compute")
int32_t host_compute(int32_t question, const char *a, size_t a_len, const char *b, size_t b_len);

/* The question that C asks itself: a zone's name and a time in milliseconds; its offset from UTC in seconds, and the
 * times between which that holds. The other numbers are the prelude's. */
#define QUESTION_ZONE_OFFSET 6

/* Finds a stored value; returns its length, or -1 when there is none. */
IMPORT("find_stored")
int32_t host_find_stored(const char *key, size_t key_len);

/* The byte strings that the host has ready for the guest. */
enum parcel {
    PARCEL_EVENT = 0,  /* the JSON of an answer, or the tools of a start */
    PARCEL_SOURCE = 1, /* the source of a start */
    PARCEL_STORED = 2, /* the stored value found last */
    PARCEL_REPLY = 3,  /* the reply to the question asked last */
    PARCEL_ZONE = 4,   /* the time zone of a start */
};

/* Copies a parcel, whose length the guest knows already, to `into`. */
IMPORT("copy_parcel")
void host_copy_parcel(int32_t parcel, char *into);

#endif
