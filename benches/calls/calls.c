/* What a call costs in C. Prints one JSON object: for each measure the median of nanoseconds a call
 * takes, and how many samples that is of. calls.py and src/calls.rs measure the same. */
#define _POSIX_C_SOURCE 200809L
#include "echodb.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define S(text) (text), strlen(text)
#define RECORD_BYTES 1024
#define TEXT_BYTES 65536
#define OBJECTS 1000
#define WARM_UP_NS 300000000ULL
#define MEASURE_NS 1000000000ULL
#define MAX_SAMPLES 2000

static echodb_client *client;
static echodb_space *space, *many;
static char *record, *text, *listened;
static sem_t heard;
static uint64_t heard_at;

static void check(echodb_status status, echodb_error *error) {
    if (status != ECHODB_OK) {
        fprintf(stderr, "%s\n", echodb_error_message(error));
        exit(1);
    }
}

#define OK(call)                                                                                  \
    do {                                                                                          \
        echodb_error *error = NULL;                                                               \
        echodb_status status = (call);                                                            \
        check(status, error);                                                                     \
    } while (0)

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* Makes an object whose field has so many letters, and gives its id. */
static char *make(const char *format, size_t letters) {
    char *long_text = malloc(letters + 1), *fields = malloc(letters + 64);
    echodb_buffer *buffer = NULL;
    if (long_text == NULL || fields == NULL) {
        exit(1);
    }
    memset(long_text, 'x', letters);
    long_text[letters] = '\0';
    sprintf(fields, format, long_text);
    OK(echodb_space_create(space, S("Item"), S(fields), &buffer, &error));
    char *id = strdup(echodb_buffer_data(buffer));
    echodb_buffer_free(buffer);
    free(long_text);
    free(fields);
    return id;
}

static echodb_status on_change(void *data, const char *json, size_t len) {
    (void)data, (void)json, (void)len;
    heard_at = now_ns();
    sem_post(&heard);
    return ECHODB_OK;
}

static void set_up(void) {
    echodb_client_options *options = NULL;
    echodb_transaction *transaction = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_set_online(options, false, &error));
    OK(echodb_client_open(options, &client, &error));
    echodb_client_options_free(options);
    OK(echodb_client_create_identity(client, S("Bench"), &buffer, &error));
    echodb_buffer_free(buffer);
    OK(echodb_client_default_space(client, &space, &error));
    OK(echodb_client_create_space(client, S("{}"), &many, &error));
    record = make("{\"text\": \"%s\"}", RECORD_BYTES);
    text = make("{\"body\": {\"@text\": \"%s\"}}", TEXT_BYTES);
    listened = make("{\"n\": -1, \"name\": \"%s\"}", 1);
    OK(echodb_space_transaction(many, &transaction, &error));
    for (int i = 0; i < OBJECTS; i++) {
        char fields[32];
        snprintf(fields, sizeof fields, "{\"n\": %d}", i);
        OK(echodb_transaction_create(transaction, S("Item"), S(fields), &buffer, &error));
        echodb_buffer_free(buffer);
    }
    OK(echodb_transaction_commit(transaction, &buffer, &error));
    echodb_buffer_free(buffer);
    echodb_transaction_free(transaction);
    sem_init(&heard, 0, 0);
}

/* The calls; each returns how long it took by its own account, or 0 to be timed from outside. */
static uint64_t call_trivial(void) {
    echodb_buffer *buffer = NULL;
    OK(echodb_space_id(space, &buffer, &error));
    echodb_buffer_free(buffer);
    return 0;
}

static uint64_t call_record_1k(void) {
    echodb_buffer *buffer = NULL;
    OK(echodb_space_get(space, S(record), &buffer, &error));
    echodb_buffer_free(buffer);
    return 0;
}

static uint64_t call_list_1000(void) {
    echodb_buffer *buffer = NULL;
    OK(echodb_space_query(many, S("{\"type\": \"Item\"}"), &buffer, &error));
    echodb_buffer_free(buffer);
    return 0;
}

static uint64_t call_bytes_64k(void) {
    echodb_buffer *buffer = NULL;
    OK(echodb_space_text(space, S(text), S("body"), &buffer, &error));
    echodb_buffer_free(buffer);
    return 0;
}

static uint64_t call_callback(void) {
    static int n;
    char fields[32];
    uint64_t begun = now_ns();
    snprintf(fields, sizeof fields, "{\"n\": %d}", n++);
    OK(echodb_space_update(space, S(listened), S(fields), &error));
    while (sem_wait(&heard) != 0) {
    }
    return heard_at - begun;
}

static int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* One sample: so many calls in a row, as nanoseconds for each. */
static double sample(uint64_t (*call)(void), int calls) {
    uint64_t begun = now_ns(), told = 0;
    for (int i = 0; i < calls; i++) {
        told += call();
    }
    return (double)(told > 0 ? told : now_ns() - begun) / calls;
}

static void measure(const char *name, uint64_t (*call)(void), int calls, const char *end) {
    static double samples[MAX_SAMPLES];
    int count = 0;
    uint64_t begun = now_ns();
    while (now_ns() - begun < WARM_UP_NS) {
        sample(call, calls);
    }
    begun = now_ns();
    while (count < MAX_SAMPLES && (count < 5 || now_ns() - begun < MEASURE_NS)) {
        samples[count++] = sample(call, calls);
    }
    qsort(samples, (size_t)count, sizeof *samples, by_size);
    printf("\"%s\": {\"ns\": %.1f, \"runs\": %d}%s", name, samples[count / 2], count, end);
}

int main(void) {
    echodb_subscription *subscription = NULL;
    set_up();
    printf("{");
    measure("call_trivial", call_trivial, 1000, ", ");
    measure("call_record_1k", call_record_1k, 10, ", ");
    measure("call_list_1000", call_list_1000, 1, ", ");
    measure("call_bytes_64k", call_bytes_64k, 1, ", ");
    OK(echodb_space_subscribe(space, S("{}"), on_change, NULL, NULL, &subscription, &error));
    measure("call_callback", call_callback, 1, "}\n");
    echodb_subscription_free(subscription);
    OK(echodb_client_shutdown(client, &error));
    echodb_space_free(space);
    echodb_space_free(many);
    echodb_client_free(client);
    free(record), free(text), free(listened);
    return 0;
}
