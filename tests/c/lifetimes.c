/* Handles in numbers: calls, subscriptions, clients and operations by the thousand, freed in every
 * order and from several threads; nothing of them may stay. argv[1] is a directory for a profile,
 * argv[2] divides the numbers, for runs where everything is slow and memory is watched otherwise. */
#define _POSIX_C_SOURCE 200809L
#include "growth.h"
#include "support.h"

#include <pthread.h>

#define CALLS 100000
#define SUBSCRIPTIONS 10000
#define CLIENTS 1000
#define OPERATIONS 400
#define THREADS 4
/* Subscriptions that are open at the same time. */
#define OPEN 16

static const char *profile;
static int divisor;
static echodb_client *client;
static echodb_space *space;
static echodb_invitation *invitation;
static char *object;

/* What callbacks were given and had freed; equal once nothing listens. */
static int given, destroyed, heard;

static void add(int *number) { __atomic_add_fetch(number, 1, __ATOMIC_SEQ_CST); }

static int value(int *number) { return __atomic_load_n(number, __ATOMIC_SEQ_CST); }

static void wait_until(int *number, int wanted) {
    for (int i = 0; i < 6000 && value(number) < wanted; i++) {
        poll(NULL, 0, 10);
    }
    CHECK(value(number) >= wanted);
}

/* The data of a callback: memory of its own, so that one freed twice, or used afterwards, shows. */
static int *give(void) {
    int *data = malloc(sizeof *data);
    CHECK(data != NULL);
    *data = 42;
    add(&given);
    return data;
}

static void on_destroy(void *data) {
    CHECK(*(int *)data == 42);
    *(int *)data = 0;
    free(data);
    add(&destroyed);
}

/* Runs the work once to warm up, then again, after which nothing more may be held. */
static void steady(const char *what, void (*work)(int), int count, long slack_kb) {
    count = count / divisor;
    work(count / 4 + 1);
    CHECK(value(&given) == value(&destroyed));
    struct holding before = holding_now();
    work(count);
    CHECK(value(&given) == value(&destroyed));
    check_growth(what, before, divisor == 1 ? slack_kb : -1);
}

/* Changes the object; to set what is there already would change nothing. */
static void touch(void) {
    static int touches;
    char fields[32];
    add(&touches);
    snprintf(fields, sizeof fields, "{\"n\": %d}", value(&touches));
    OK(echodb_space_update(space, S(object), S(fields), &error));
}

static void call_transaction(void) {
    echodb_transaction *tx = NULL;
    echodb_buffer *id = NULL;
    OK(echodb_space_transaction(space, &tx, &error));
    OK(echodb_transaction_create(tx, NULL, 0, S("{\"never\": true}"), &id, &error));
    echodb_buffer_free(id);
    OK(echodb_transaction_set(tx, S(object), S("n"), S("1"), &error));
    echodb_transaction_free(tx);
}

/* Calls of every kind of outcome; few of them write, as an object's history is meant to grow. */
static void calls(int count) {
    for (int i = 0; i < count; i++) {
        echodb_buffer *buffer = NULL;
        echodb_space *same = NULL;
        switch (i % 10) {
        case 0:
            OK(echodb_space_id(space, &buffer, &error));
            break;
        case 1:
            OK(echodb_space_get(space, S(object), &buffer, &error));
            break;
        case 2:
            OK(echodb_space_text(space, S(object), S("body"), &buffer, &error));
            break;
        case 3:
            FAILS(ECHODB_INVALID_ARGUMENT, echodb_space_get(space, S("x"), &buffer, &error));
            break;
        case 4:
            OK(echodb_client_status(client, &buffer, &error));
            break;
        case 5:
            call_transaction();
            break;
        case 6:
            OK(echodb_space_query(space, S("{\"where\": {}, \"limit\": 1}"), &buffer, &error));
            break;
        case 7:
            OK(echodb_client_default_space(client, &same, &error));
            break;
        case 8:
            CHECK(echodb_space_text(space, S(object), S("none"), &buffer, NULL) != ECHODB_OK);
            break;
        default:
            if (i % 1000 == 9) {
                touch();
            }
            CHECK(echodb_has_feature(S("webrtc")));
        }
        echodb_buffer_free(buffer);
        echodb_space_free(same);
    }
}

static echodb_status on_change(void *data, const char *json, size_t len) {
    CHECK(*(int *)data == 42 && json != NULL && len > 0);
    add(&heard);
    return heard % 2 == 0 ? ECHODB_OK : ECHODB_CALLBACK;
}

static echodb_status on_update(void *data, int32_t state, const char *json, size_t len) {
    CHECK(*(int *)data == 42 && state > 0 && json != NULL && len > 0);
    add(&heard);
    return ECHODB_OK;
}

static echodb_subscription *subscribe(int kind) {
    echodb_subscription *subscription = NULL;
    switch (kind) {
    case 0:
        OK(echodb_space_subscribe_queue(space, S("{}"), &subscription, &error));
        break;
    case 1:
        OK(echodb_invitation_subscribe(invitation, on_update, give(), on_destroy, &subscription,
                                       &error));
        break;
    default:
        OK(echodb_space_subscribe(space, S("{}"), on_change, give(), on_destroy, &subscription,
                                  &error));
    }
    return subscription;
}

/* Opened, and dropped in another order while changes come in, with a cancellation before and
 * without. */
static void subscriptions(int count) {
    echodb_subscription *open[OPEN] = {NULL};
    for (int i = 0; i < count; i++) {
        echodb_subscription **slot = &open[i * 7 % OPEN];
        if (i % 3 == 0) {
            echodb_subscription_cancel(*slot);
        }
        echodb_subscription_free(*slot);
        *slot = subscribe(i % 4);
        if (i % 50 == 0) {
            touch();
        }
    }
    for (int i = 0; i < OPEN; i++) {
        echodb_subscription_free(open[i]);
    }
}

static void on_log(void *data, int32_t level, uint64_t time_ms, const char *target,
                   size_t target_len, const char *text, size_t text_len) {
    CHECK(*(int *)data == 42 && level > 0 && time_ms > 0);
    CHECK(target != NULL && target_len > 0 && text != NULL && text_len > 0);
}

static echodb_client_options *fresh_options(bool on_disk, bool online) {
    echodb_client_options *options = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_set_online(options, online, &error));
    OK(echodb_client_options_add_bind(options, S("127.0.0.1:0"), &error));
    OK(echodb_client_options_set_log(options, ECHODB_LOG_TRACE, on_log, give(), on_destroy,
                                     &error));
    if (on_disk) {
        OK(echodb_client_options_set_profile(options, S(profile), &error));
    }
    return options;
}

static echodb_client *fresh_client(bool on_disk, bool online) {
    echodb_client_options *options = fresh_options(on_disk, online);
    echodb_client *fresh = NULL;
    OK(echodb_client_open(options, &fresh, &error));
    echodb_client_options_free(options);
    return fresh;
}

/* A client by operations: opened by one and shut down by another. */
static void client_by_operations(void) {
    echodb_client_options *options = fresh_options(false, false);
    echodb_operation *opening = NULL, *closing = NULL;
    echodb_client *fresh = NULL;
    OK(echodb_client_open_start(options, &opening, &error));
    echodb_client_options_free(options);
    OK(echodb_operation_wait(opening, -1, &error));
    OK(echodb_operation_take_client(opening, &fresh, &error));
    echodb_operation_free(opening);
    OK(echodb_client_shutdown_start(fresh, &closing, &error));
    echodb_client_free(fresh);
    OK(echodb_operation_wait(closing, -1, &error));
    echodb_operation_free(closing);
}

/* A client with all that it can have, which goes in an order that `turn` picks. */
static void client_in_pieces(int turn) {
    echodb_client *fresh = fresh_client(false, true);
    echodb_buffer *buffer = NULL;
    echodb_space *notes = NULL;
    echodb_transaction *tx = NULL;
    echodb_invitation *pending = NULL;
    echodb_subscription *changes = NULL, *updates = NULL;
    OK(echodb_client_create_identity(fresh, S("Ada"), &buffer, &error));
    echodb_buffer_free(buffer);
    OK(echodb_client_default_space(fresh, &notes, &error));
    OK(echodb_space_subscribe(notes, S("{}"), on_change, give(), on_destroy, &changes, &error));
    OK(echodb_space_create(notes, NULL, 0, S("{\"n\": 1}"), &buffer, &error));
    OK(echodb_space_transaction(notes, &tx, &error));
    OK(echodb_space_invite(notes, NULL, &pending, &error));
    OK(echodb_invitation_subscribe(pending, on_update, give(), on_destroy, &updates, &error));
    if (turn % 2 == 0) {
        OK(echodb_client_shutdown(fresh, &error));
    }
    for (int i = 0; i < 7; i++) {
        switch ((i * 3 + turn) % 7) {
        case 0:
            echodb_client_free(fresh);
            break;
        case 1:
            echodb_space_free(notes);
            break;
        case 2:
            echodb_transaction_free(tx);
            break;
        case 3:
            echodb_invitation_free(pending);
            break;
        case 4:
            echodb_subscription_free(changes);
            break;
        case 5:
            echodb_subscription_free(updates);
            break;
        default:
            echodb_buffer_free(buffer);
        }
    }
}

static void clients(int count) {
    for (int i = 0; i < count; i++) {
        echodb_client *fresh = NULL;
        switch (i % 4) {
        case 0:
            client_in_pieces(i / 4);
            continue;
        case 1:
            client_by_operations();
            continue;
        case 2:
            /* The same profile again and again: it is released each time. */
            fresh = fresh_client(true, false);
            OK(echodb_client_shutdown(fresh, &error));
            break;
        default:
            fresh = fresh_client(false, false);
        }
        echodb_client_free(fresh);
    }
}

/* The operations that there are. */
static echodb_operation *start(int kind) {
    echodb_operation *operation = NULL;
    echodb_client_options *options = NULL;
    echodb_client *fresh = NULL;
    switch (kind) {
    case 0:
        options = fresh_options(false, false);
        OK(echodb_client_open_start(options, &operation, &error));
        echodb_client_options_free(options);
        break;
    case 1:
        OK(echodb_space_flush_start(space, &operation, &error));
        break;
    case 2:
        OK(echodb_invitation_wait_start(invitation, &operation, &error));
        break;
    default:
        fresh = fresh_client(false, false);
        OK(echodb_client_shutdown_start(fresh, &operation, &error));
        echodb_client_free(fresh);
    }
    return operation;
}

static void on_complete(void *data, echodb_status status, const char *name) {
    CHECK(*(int *)data == 42 && strcmp(name, echodb_status_name(status)) == 0);
    add(&heard);
}

struct ending {
    echodb_operation *operation;
    int turn;
};

/* Ends an operation's wait from another thread, sooner or later. */
static void *end_operation(void *data) {
    struct ending *ending = data;
    poll(NULL, 0, ending->turn % 3);
    echodb_operation_cancel(ending->operation);
    return NULL;
}

static void end_while_waiting(echodb_operation *operation, int turn) {
    struct ending ending = {operation, turn};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, end_operation, &ending) == 0);
    OK(echodb_operation_wait(operation, -1, &error));
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Every kind of operation ended at every stage: freed at once, cancelled at once, cancelled and
 * freed later, cancelled while waited for, left to complete where it does. */
static void operations(int count) {
    for (int i = 0; i < count; i++) {
        int kind = i % 4, stage = i / 4 % 5, before = value(&heard);
        echodb_operation *operation = start(kind);
        OK(echodb_operation_on_complete(operation, on_complete, give(), on_destroy, &error));
        if (stage == 1 || (stage == 4 && kind == 2)) {
            echodb_operation_cancel(operation);
            echodb_operation_cancel(operation);
        } else if (stage == 2) {
            poll(NULL, 0, i % 3);
            echodb_operation_cancel(operation);
        } else if (stage == 3) {
            end_while_waiting(operation, i);
        } else if (stage == 4) {
            OK(echodb_operation_wait(operation, -1, &error));
            OK(echodb_operation_result(operation, &error));
        }
        CHECK(stage == 0 || echodb_operation_is_done(operation));
        echodb_operation_free(operation);
        CHECK(value(&heard) == before + 1);
    }
    /* What opened although nobody wanted it any more is closed by the library's threads. */
    wait_until(&destroyed, value(&given));
}

/* Where threads leave a subscription for another one to free. */
static echodb_subscription *handed[THREADS];

static void *one_of_several(void *data) {
    int me = *(int *)data;
    for (int i = 0; i < 400 / THREADS; i++) {
        echodb_subscription *mine = subscribe(i % 4), *other = NULL;
        echodb_buffer *buffer = NULL;
        echodb_transaction *tx = NULL;
        OK(echodb_space_get(space, S(object), &buffer, &error));
        echodb_buffer_free(buffer);
        OK(echodb_space_transaction(space, &tx, &error));
        OK(echodb_transaction_set(tx, S(object), S("n"), S("4"), &error));
        if (i % 8 == me) {
            OK(echodb_transaction_commit(tx, &buffer, &error));
            echodb_buffer_free(buffer);
        }
        echodb_transaction_free(tx);
        other = __atomic_exchange_n(&handed[(me + i) % THREADS], mine, __ATOMIC_SEQ_CST);
        echodb_subscription_free(other);
    }
    return NULL;
}

static void several_threads(int rounds) {
    for (int round = 0; round < rounds; round++) {
        pthread_t threads[THREADS];
        int numbers[THREADS];
        for (int i = 0; i < THREADS; i++) {
            numbers[i] = i;
            CHECK(pthread_create(&threads[i], NULL, one_of_several, &numbers[i]) == 0);
        }
        for (int i = 0; i < THREADS; i++) {
            CHECK(pthread_join(threads[i], NULL) == 0);
        }
        for (int i = 0; i < THREADS; i++) {
            echodb_subscription_free(handed[i]);
            handed[i] = NULL;
        }
    }
}

/* The subscription that runs `on_reentry`, until that frees it. */
static echodb_subscription *own;

/* Uses the library in every way that a callback may, and ends its own subscription. */
static echodb_status on_reentry(void *data, const char *json, size_t len) {
    echodb_subscription *other = NULL, *self = NULL;
    echodb_buffer *buffer = NULL;
    echodb_client *fresh = NULL;
    CHECK(*(int *)data == 42 && json != NULL && len > 0);
    OK(echodb_space_subscribe(space, S("{}"), on_change, give(), on_destroy, &other, &error));
    OK(echodb_space_create(space, S("Other"), S("{}"), &buffer, &error));
    echodb_buffer_free(buffer);
    OK(echodb_space_flush(space, &error));
    echodb_subscription_free(other);
    fresh = fresh_client(false, false);
    OK(echodb_client_shutdown(fresh, &error));
    echodb_client_free(fresh);
    while (self == NULL) {
        self = __atomic_exchange_n(&own, NULL, __ATOMIC_SEQ_CST);
    }
    echodb_subscription_free(self);
    CHECK(*(int *)data == 42);
    add(&heard);
    return ECHODB_OK;
}

static void reentry(int count) {
    for (int i = 0; i < count; i++) {
        echodb_subscription *subscription = NULL;
        int before = value(&destroyed);
        OK(echodb_space_subscribe(space, S("{\"type\": \"Note\"}"), on_reentry, give(),
                                  on_destroy, &subscription, &error));
        touch();
        __atomic_store_n(&own, subscription, __ATOMIC_SEQ_CST);
        /* The inner subscription's, the inner client's, its own. */
        wait_until(&destroyed, before + 3);
    }
}

int main(int argc, char **argv) {
    echodb_buffer *buffer = NULL;
    CHECK(argc == 3 && (divisor = atoi(argv[2])) > 0);
    profile = argv[1];
    client = lone_client("Lone");
    /* An invitation needs that, although nobody is there to meet. */
    OK(echodb_client_set_online(client, true, &error));
    OK(echodb_client_default_space(client, &space, &error));
    OK(echodb_space_invite(space, NULL, &invitation, &error));
    OK(echodb_space_create(space, S("Note"), S("{\"n\": 0, \"body\": {\"@text\": \"hello\"}}"),
                           &buffer, &error));
    object = take(buffer);
    steady("calls", calls, CALLS, 1024);
    steady("subscriptions", subscriptions, SUBSCRIPTIONS, 2048);
    steady("reentry", reentry, 40, 8192);
    steady("operations", operations, OPERATIONS, 4096);
    steady("threads", several_threads, 40, 4096);
    steady("clients", clients, CLIENTS, 4096);
    CHECK(value(&heard) > 0);
    free(object);
    echodb_invitation_free(invitation);
    echodb_space_free(space);
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    CHECK(echodb_live_handles() == 0);
    return 0;
}
