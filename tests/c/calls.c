/* Every call that needs no second client, once as it is meant. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <poll.h>

static void wait_for(int *number) {
    for (int i = 0; i < 6000 && __atomic_load_n(number, __ATOMIC_SEQ_CST) == 0; i++) {
        poll(NULL, 0, 10);
    }
    CHECK(__atomic_load_n(number, __ATOMIC_SEQ_CST) > 0);
}

static void library(void) {
    char number[32];
    snprintf(number, sizeof number, "%d.%d.%d", ECHODB_VERSION_MAJOR, ECHODB_VERSION_MINOR,
             ECHODB_VERSION_PATCH);
    CHECK(strcmp(number, ECHODB_VERSION) == 0);
    CHECK(strcmp(echodb_version(), ECHODB_VERSION) == 0);
    CHECK(ECHODB_VERSION_NUMBER == ECHODB_VERSION_MAJOR * 1000000 + ECHODB_VERSION_MINOR * 1000 +
                                       ECHODB_VERSION_PATCH);
    CHECK(echodb_abi_version() == ECHODB_ABI_VERSION);
    CHECK(echodb_has_feature(S("queue_fd")) && echodb_has_feature(S("webrtc")));
    CHECK(!echodb_has_feature(S("teleport")));
    CHECK(strcmp(echodb_status_name(ECHODB_OK), "ok") == 0);
    CHECK(strcmp(echodb_status_name(ECHODB_INTERNAL), "internal") == 0);
    CHECK(strcmp(echodb_status_name(-7), "unknown") == 0);
}

struct log {
    int records;
    int destroyed;
};

static void on_log(void *data, int32_t level, uint64_t time_ms, const char *target,
                   size_t target_len, const char *text, size_t text_len) {
    __atomic_add_fetch(&((struct log *)data)->records, 1, __ATOMIC_SEQ_CST);
    CHECK(level >= ECHODB_LOG_ERROR && level <= ECHODB_LOG_TRACE && time_ms > 0);
    CHECK(target != NULL && target_len > 0 && text != NULL && text_len > 0);
}

static void on_log_destroy(void *data) {
    __atomic_add_fetch(&((struct log *)data)->destroyed, 1, __ATOMIC_SEQ_CST);
}

static echodb_status fail(void *data, const char *json, size_t len) {
    CHECK(data == NULL && json != NULL && len > 0);
    return ECHODB_CALLBACK;
}

static void client(const char *profile) {
    struct log log = {0, 0};
    echodb_client_options *options = NULL;
    echodb_client *client = NULL, *second = (void *)&sentinel;
    echodb_space *space = NULL;
    echodb_subscription *subscription = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_set_profile(options, S(profile), &error));
    OK(echodb_client_options_add_signaling(options, S("ws://127.0.0.1:9"), &error));
    OK(echodb_client_options_add_ice_server(options, S("stun:127.0.0.1:9"), NULL, 0, NULL, 0,
                                            &error));
    OK(echodb_client_options_add_bind(options, S("127.0.0.1:0"), &error));
    OK(echodb_client_options_set_online(options, false, &error));
    OK(echodb_client_options_set_coalesce_ms(options, 5, &error));
    OK(echodb_client_options_set_log(options, ECHODB_LOG_TRACE, on_log, &log, on_log_destroy,
                                     &error));
    OK(echodb_client_open(options, &client, &error));
    FAILS(ECHODB_PROFILE_LOCKED, echodb_client_open(options, &second, &error));
    CHECK(second == NULL);
    echodb_client_options_free(options);

    FAILS_OUT(ECHODB_NOT_FOUND, buffer, echodb_client_identity(client, &buffer, &error));
    OK(echodb_client_create_identity(client, S("Zo\xc3\xab"), &buffer, &error));
    CHECK(holds(buffer, "\"display_name\":\"Zo\xc3\xab\""));
    OK(echodb_client_identity(client, &buffer, &error));
    CHECK(holds(buffer, "\"device\":"));
    FAILS(ECHODB_ALREADY_EXISTS, echodb_client_create_identity(client, S("b"), &buffer, &error));
    OK(echodb_client_status(client, &buffer, &error));
    CHECK(holds(buffer, "\"online\":false"));
    OK(echodb_client_set_online(client, true, &error));
    OK(echodb_client_status(client, &buffer, &error));
    CHECK(holds(buffer, "ws://127.0.0.1:9"));
    OK(echodb_client_set_online(client, false, &error));

    /* A listener that fails is logged. */
    OK(echodb_client_default_space(client, &space, &error));
    OK(echodb_space_subscribe(space, S("{}"), fail, NULL, NULL, &subscription, &error));
    OK(echodb_space_create(space, NULL, 0, S("{}"), &buffer, &error));
    echodb_buffer_free(buffer);
    wait_for(&log.records);
    echodb_subscription_free(subscription);
    echodb_space_free(space);

    OK(echodb_client_shutdown(client, &error));
    OK(echodb_client_shutdown(client, &error));
    FAILS_OUT(ECHODB_INVALID_STATE, buffer, echodb_client_spaces(client, &buffer, &error));
    echodb_client_free(client);
    CHECK(log.destroyed == 1);
}

static void spaces(echodb_client *client) {
    echodb_space *space = NULL, *same = NULL, *first = NULL, *gone = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_client_default_space(client, &first, &error));
    OK(echodb_client_create_space(client, S("{\"name\": \"Notes\"}"), &space, &error));
    OK(echodb_space_id(space, &buffer, &error));
    char *id = take(buffer);
    CHECK(strlen(id) == 52);
    OK(echodb_client_spaces(client, &buffer, &error));
    CHECK(holds(buffer, id));
    OK(echodb_client_space(client, S(id), &same, &error));
    OK(echodb_space_info(same, &buffer, &error));
    CHECK(holds(buffer, "\"name\":\"Notes\",\"is_default\":false,\"state\":\"ready\""));
    OK(echodb_space_set_properties(space, S("{\"color\": \"red\"}"), &error));
    OK(echodb_space_properties(same, &buffer, &error));
    CHECK(holds(buffer, "red"));
    OK(echodb_space_close(space, &error));
    OK(echodb_space_info(same, &buffer, &error));
    CHECK(holds(buffer, "\"state\":\"closed\""));
    OK(echodb_space_open(same, &error));
    OK(echodb_space_members(space, &buffer, &error));
    CHECK(holds(buffer, "\"role\":\"owner\""));
    OK(echodb_space_status(space, &buffer, &error));
    CHECK(holds(buffer, "\"peers\":[]"));
    OK(echodb_space_quarantined(space, &buffer, &error));
    CHECK(holds(buffer, "[]"));
    OK(echodb_client_delete_space(client, S(id), &error));
    FAILS_OUT(ECHODB_NOT_FOUND, gone, echodb_client_space(client, S(id), &gone, &error));
    echodb_space_free(same);
    free(id);
    echodb_space_free(space);
    echodb_space_free(first);
}

static void objects(echodb_client *client) {
    echodb_space *space = NULL, *copy = NULL;
    echodb_buffer *buffer = NULL;
    uint64_t count = 0;
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    OK(echodb_space_create(space, S("Note"),
                           S("{\"title\": \"a\", \"body\": {\"@text\": \"h\xc3\xa9llo\"}}"),
                           &buffer, &error));
    char *id = take(buffer);
    OK(echodb_space_get(space, S(id), &buffer, &error));
    char *object = take(buffer);
    CHECK(strstr(object, "\"type\":\"Note\"") != NULL);
    char *heads = list_of(object, "\"heads\"");
    OK(echodb_space_update(space, S(id), S("{\"title\": \"b\"}"), &error));
    OK(echodb_space_query(space, S("{\"type\": \"Note\"}"), &buffer, &error));
    CHECK(holds(buffer, "\"title\":\"b\""));

    /* Byte 3 follows the two bytes of the second character. */
    OK(echodb_space_splice_text(space, S(id), S("body"), 3, 2, S("LL"), &error));
    OK(echodb_space_text(space, S(id), S("/body"), &buffer, &error));
    CHECK(holds(buffer, "h\xc3\xa9LLo"));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_space_splice_text(space, S(id), S("body"), 2, 0, S("x"), &error));
    OK(echodb_space_flush(space, &error));

    OK(echodb_space_history(space, S(id), NULL, 0, &buffer, &error));
    CHECK(holds(buffer, "\"parents\":[]"));
    OK(echodb_space_history(space, S(id), S(heads), &buffer, &error));
    CHECK(holds(buffer, heads));
    OK(echodb_space_digest(space, &buffer, &error));
    CHECK(echodb_buffer_len(buffer) == 64);
    echodb_buffer_free(buffer);

    OK(echodb_space_export_json(space, &buffer, &error));
    OK(echodb_client_create_space(client, S("{}"), &copy, &error));
    OK(echodb_space_import_json(copy, echodb_buffer_data(buffer), echodb_buffer_len(buffer),
                                &count, &error));
    CHECK(count == 1);
    echodb_buffer_free(buffer);
    OK(echodb_space_get(copy, S(id), &buffer, &error));
    CHECK(holds(buffer, "LLo"));

    OK(echodb_space_delete(space, S(id), &error));
    OK(echodb_space_get(space, S(id), &buffer, &error));
    CHECK(holds(buffer, "\"deleted\":true"));
    free(id), free(object), free(heads);
    echodb_space_free(space);
    echodb_space_free(copy);
}

static void steps(echodb_transaction *tx, const char *id) {
    static const char imported[] = "01jd8mfcd0000000000000000z";
    OK(echodb_transaction_create_with_id(tx, S(imported), S("Item"), S("{}"), &error));
    OK(echodb_transaction_update(tx, S(id), S("{\"n\": {\"@counter\": 1}}"), &error));
    OK(echodb_transaction_set(tx, S(id), S("/list"), S("[1, 3]"), &error));
    OK(echodb_transaction_insert(tx, S(id), S("/list/1"), S("2"), &error));
    OK(echodb_transaction_remove(tx, S(id), S("gone"), &error));
    OK(echodb_transaction_splice_text(tx, S(id), S("body"), 0, 1, S("H"), &error));
    OK(echodb_transaction_increment(tx, S(id), S("n"), -3, &error));
    OK(echodb_transaction_set_parent(tx, S(id), S(imported), &error));
    OK(echodb_transaction_delete(tx, S(imported), &error));
    OK(echodb_transaction_restore(tx, S(imported), &error));
    OK(echodb_transaction_message(tx, S("tidied"), &error));
}

static void transactions(echodb_client *client) {
    echodb_space *space = NULL;
    echodb_transaction *tx = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_client_default_space(client, &space, &error));
    OK(echodb_space_transaction(space, &tx, &error));
    OK(echodb_transaction_create(tx, NULL, 0, S("{\"gone\": 1, \"body\": {\"@text\": \"hi\"}}"),
                                 &buffer, &error));
    char *id = take(buffer);
    OK(echodb_transaction_commit(tx, &buffer, &error));
    char *committed = take(buffer);
    char *heads = list_of(committed, "\"heads\"");
    FAILS_OUT(ECHODB_INVALID_STATE, buffer, echodb_transaction_commit(tx, &buffer, &error));
    echodb_transaction_free(tx);

    OK(echodb_space_transaction(space, &tx, &error));
    steps(tx, id);
    OK(echodb_transaction_commit(tx, &buffer, &error));
    CHECK(holds(buffer, id));
    echodb_transaction_free(tx);
    OK(echodb_space_get(space, S(id), &buffer, &error));
    char *object = take(buffer);
    CHECK(strstr(object, "\"list\":[1,2,3]") != NULL && strstr(object, "\"gone\"") == NULL);
    CHECK(strstr(object, "{\"@counter\":-2}") != NULL && strstr(object, "\"Hi\"") != NULL);
    CHECK(strstr(object, "\"parent\":\"01jd8mfcd0000000000000000z\"") != NULL);
    OK(echodb_space_history(space, S(id), NULL, 0, &buffer, &error));
    CHECK(holds(buffer, "\"message\":\"tidied\""));

    OK(echodb_space_transaction(space, &tx, &error));
    OK(echodb_transaction_at(tx, S(heads), &error));
    OK(echodb_transaction_set_parent(tx, S(id), NULL, 0, &error));
    OK(echodb_transaction_splice_text(tx, S(id), S("body"), 2, 0, S("!"), &error));
    OK(echodb_transaction_commit(tx, &buffer, &error));
    echodb_buffer_free(buffer);
    OK(echodb_space_text(space, S(id), S("body"), &buffer, &error));
    CHECK(holds(buffer, "Hi!"));
    echodb_transaction_cancel(tx);
    echodb_transaction_free(tx);

    OK(echodb_space_transaction(space, &tx, &error));
    OK(echodb_transaction_delete(tx, S(id), &error));
    echodb_transaction_cancel(tx);
    FAILS(ECHODB_INVALID_STATE, echodb_transaction_delete(tx, S(id), &error));
    echodb_transaction_free(tx);
    free(id), free(committed), free(heads), free(object);
    echodb_space_free(space);
}

struct changes {
    int batches;
    int destroyed;
    echodb_subscription *own;
};

static echodb_status on_change(void *data, const char *json, size_t len) {
    struct changes *changes = data;
    char text[1024];
    CHECK(len < sizeof text);
    memcpy(text, json, len);
    text[len] = '\0';
    CHECK(strstr(text, "\"kind\":\"added\",\"origin\":\"local\"") != NULL);
    CHECK(changes->destroyed == 0);
    /* A callback may end its own subscription: the data outlives this run. */
    echodb_subscription_free(__atomic_exchange_n(&changes->own, NULL, __ATOMIC_SEQ_CST));
    __atomic_add_fetch(&changes->batches, 1, __ATOMIC_SEQ_CST);
    return ECHODB_CALLBACK;
}

static void on_change_destroy(void *data) {
    __atomic_add_fetch(&((struct changes *)data)->destroyed, 1, __ATOMIC_SEQ_CST);
}

static void callbacks(echodb_space *space) {
    struct changes changes = {0, 0, NULL};
    echodb_subscription *subscription = NULL;
    echodb_buffer *buffer = NULL;
    int fd = 0;
    OK(echodb_space_subscribe(space, S("{\"type\": \"Watched\"}"), on_change, &changes,
                              on_change_destroy, &subscription, &error));
    FAILS(ECHODB_INVALID_STATE, echodb_subscription_fd(subscription, &fd, &error));
    FAILS_OUT(ECHODB_INVALID_STATE, buffer,
              echodb_subscription_next(subscription, &buffer, &error));
    OK(echodb_space_create(space, S("Watched"), S("{}"), &buffer, &error));
    echodb_buffer_free(buffer);
    wait_for(&changes.batches);
    echodb_subscription_cancel(subscription);
    CHECK(changes.destroyed == 1);
    echodb_subscription_free(subscription);
    CHECK(changes.destroyed == 1 && changes.batches == 1);

    struct changes own = {0, 0, NULL};
    OK(echodb_space_subscribe(space, S("{\"type\": \"Own\"}"), on_change, &own,
                              on_change_destroy, &own.own, &error));
    OK(echodb_space_create(space, S("Own"), S("{}"), &buffer, &error));
    echodb_buffer_free(buffer);
    wait_for(&own.destroyed);
    CHECK(own.batches == 1 && own.destroyed == 1);
}

static void queue(echodb_space *space) {
    echodb_subscription *subscription = NULL;
    echodb_buffer *buffer = NULL;
    struct pollfd ready = {-1, POLLIN, 0};
    OK(echodb_space_subscribe_queue(space, S("{}"), &subscription, &error));
    OK(echodb_subscription_fd(subscription, &ready.fd, &error));
    CHECK(poll(&ready, 1, 0) == 0);
    OK(echodb_subscription_next(subscription, &buffer, &error));
    CHECK(buffer == NULL);
    OK(echodb_space_create(space, NULL, 0, S("{\"q\": 1}"), &buffer, &error));
    char *id = take(buffer);
    CHECK(poll(&ready, 1, 60000) == 1);
    OK(echodb_subscription_next(subscription, &buffer, &error));
    CHECK(holds(buffer, id));
    CHECK(poll(&ready, 1, 0) == 0);
    echodb_subscription_free(subscription);
    free(id);
}

struct completion {
    int completed;
    int destroyed;
    echodb_status status;
};

static void on_complete(void *data, echodb_status status, const char *name) {
    struct completion *completion = data;
    CHECK(strcmp(name, echodb_status_name(status)) == 0 && completion->destroyed == 0);
    completion->status = status;
    completion->completed++;
}

static void on_complete_destroy(void *data) { ((struct completion *)data)->destroyed++; }

/* Runs an operation to its end; the callback has run once it is freed. */
static void finish(echodb_operation *operation, echodb_status wanted) {
    struct completion completion = {0, 0, -1};
    OK(echodb_operation_on_complete(operation, on_complete, &completion, on_complete_destroy,
                                    &error));
    OK(echodb_operation_wait(operation, -1, &error));
    CHECK(echodb_operation_is_done(operation));
    CHECK(echodb_operation_result(operation, NULL) == wanted);
    echodb_operation_free(operation);
    CHECK(completion.completed == 1 && completion.destroyed == 1 && completion.status == wanted);
}

static void operations(void) {
    echodb_operation *operation = NULL;
    echodb_client_options *options = NULL;
    echodb_client *client = NULL, *again = NULL;
    echodb_space *space = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_set_online(options, false, &error));
    OK(echodb_client_open_start(options, &operation, &error));
    OK(echodb_operation_wait(operation, 60000, &error));
    OK(echodb_operation_result(operation, &error));
    FAILS_OUT(ECHODB_INVALID_STATE, buffer,
              echodb_operation_take_text(operation, &buffer, &error));
    OK(echodb_operation_take_client(operation, &client, &error));
    FAILS_OUT(ECHODB_INVALID_STATE, again,
              echodb_operation_take_client(operation, &again, &error));
    finish(operation, ECHODB_OK);
    /* A client that nobody takes is freed with its operation. */
    OK(echodb_client_open_start(options, &operation, &error));
    finish(operation, ECHODB_OK);
    OK(echodb_client_options_set_coalesce_ms(options, 100000, &error));
    OK(echodb_client_open_start(options, &operation, &error));
    finish(operation, ECHODB_INVALID_ARGUMENT);
    echodb_client_options_free(options);

    OK(echodb_client_create_identity(client, S("Op"), &buffer, &error));
    echodb_buffer_free(buffer);
    OK(echodb_client_default_space(client, &space, &error));
    OK(echodb_space_flush_start(space, &operation, &error));
    finish(operation, ECHODB_OK);
    OK(echodb_client_shutdown_start(client, &operation, &error));
    finish(operation, ECHODB_OK);
    echodb_space_free(space);
    echodb_client_free(client);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    library();
    client(argv[1]);
    echodb_client *lone = lone_client("Lone");
    spaces(lone);
    objects(lone);
    transactions(lone);
    echodb_space *space = NULL;
    OK(echodb_client_default_space(lone, &space, &error));
    callbacks(space);
    queue(space);
    echodb_space_free(space);
    OK(echodb_client_shutdown(lone, &error));
    echodb_client_free(lone);
    operations();
    CHECK(echodb_live_handles() == 0);
    return 0;
}
