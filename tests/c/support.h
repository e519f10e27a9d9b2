/* What the C tests share. A check that fails names its line and ends the program. */
#ifndef ECHODB_TEST_SUPPORT_H
#define ECHODB_TEST_SUPPORT_H

#include "check.h"
#include "echodb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A literal or C string as pointer and length. */
#define S(text) (text), strlen(text)

/* The call, whose last argument is `&error`, succeeds. */
#define OK(call)                                                                                  \
    do {                                                                                          \
        echodb_error *error = NULL;                                                               \
        echodb_status status_ = (call);                                                           \
        if (status_ != ECHODB_OK || error != NULL) {                                              \
            fprintf(stderr, "%s:%d: %s: %d %s\n", __FILE__, __LINE__, #call, (int)status_,        \
                    echodb_error_message(error));                                                 \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

/* The call fails with `wanted`, and its error says the same. */
#define FAILS(wanted, call)                                                                       \
    do {                                                                                          \
        echodb_error *error = NULL;                                                               \
        echodb_status status_ = (call);                                                           \
        if (status_ != (wanted) || echodb_error_status(error) != (wanted) ||                      \
            echodb_error_message(error)[0] == '\0') {                                             \
            fprintf(stderr, "%s:%d: %s: %d %s\n", __FILE__, __LINE__, #call, (int)status_,        \
                    echodb_error_message(error));                                                 \
            exit(1);                                                                              \
        }                                                                                         \
        echodb_error_free(error);                                                                 \
    } while (0)

/* As FAILS, and the output was set to NULL. `out` must not be NULL before. */
#define FAILS_OUT(wanted, out, call)                                                              \
    do {                                                                                          \
        (out) = (void *)&sentinel;                                                                \
        FAILS(wanted, call);                                                                      \
        CHECK((out) == NULL);                                                                     \
    } while (0)

/* Something that a pointer output may point to before a call. */
static const char sentinel = 0;

/* Copies a buffer into memory of the program's and frees it. */
static inline char *take(echodb_buffer *buffer) {
    size_t len = echodb_buffer_len(buffer);
    char *text = malloc(len + 1);
    CHECK(buffer != NULL && text != NULL && echodb_buffer_data(buffer)[len] == '\0');
    memcpy(text, echodb_buffer_data(buffer), len + 1);
    echodb_buffer_free(buffer);
    return text;
}

/* Whether a buffer holds a piece of text; frees the buffer. */
static inline int holds(echodb_buffer *buffer, const char *piece) {
    char *text = take(buffer);
    int found = strstr(text, piece) != NULL;
    if (!found) {
        fprintf(stderr, "no %s in %s\n", piece, text);
    }
    free(text);
    return found;
}

/* The list after a key in JSON, brackets included; the caller frees it. */
static inline char *list_of(const char *json, const char *key) {
    const char *start = strstr(json, key);
    const char *open = start == NULL ? NULL : strchr(start, '[');
    const char *end = open == NULL ? NULL : strchr(open, ']');
    CHECK(end != NULL);
    size_t len = (size_t)(end - open) + 1;
    char *list = malloc(len + 1);
    CHECK(list != NULL);
    memcpy(list, open, len);
    list[len] = '\0';
    return list;
}

/* Counts what it is called with, as a destroy function. */
static inline void count_destroy(void *data) { ++*(int *)data; }

/* A client in memory that stays by itself, with an identity. */
static inline echodb_client *lone_client(const char *name) {
    echodb_client_options *options = NULL;
    echodb_client *client = NULL;
    echodb_buffer *identity = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_set_online(options, false, &error));
    OK(echodb_client_open(options, &client, &error));
    echodb_client_options_free(options);
    OK(echodb_client_create_identity(client, S(name), &identity, &error));
    CHECK(holds(identity, name));
    return client;
}

#endif
