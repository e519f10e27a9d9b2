/* Blobs from C: written, read, named by an object, collected, waited for. */
#include "support.h"

static echodb_space *space;

/* The value of a string key in JSON, for the caller to free. */
static char *string_of(const char *json, const char *key) {
    const char *start = strstr(json, key);
    CHECK(start != NULL);
    start += strlen(key);
    const char *end = strchr(start, '"');
    CHECK(end != NULL);
    char *value = malloc((size_t)(end - start) + 1);
    CHECK(value != NULL);
    memcpy(value, start, (size_t)(end - start));
    value[end - start] = '\0';
    return value;
}

static char *id_of(echodb_buffer *info) {
    char *json = take(info);
    char *id = string_of(json, "\"id\":\"");
    CHECK(strlen(id) == 52);
    free(json);
    return id;
}

static void written_and_read(void) {
    echodb_blob_writer *writer = NULL;
    echodb_buffer *out = NULL;
    OK(echodb_space_blob_writer(space, &writer, &error));
    uint8_t piece[50000];
    memset(piece, 7, sizeof piece);
    for (int i = 0; i < 4; ++i) {
        OK(echodb_blob_writer_write(writer, piece, sizeof piece, &error));
    }
    OK(echodb_blob_writer_write(writer, NULL, 0, &error));
    CHECK(echodb_blob_writer_size(writer) == 200000);
    CHECK(echodb_blob_writer_size(NULL) == 0);
    OK(echodb_blob_writer_finish(writer, &out, &error));
    char *id = id_of(out);
    FAILS(ECHODB_INVALID_STATE, echodb_blob_writer_write(writer, piece, 1, &error));
    FAILS_OUT(ECHODB_INVALID_STATE, out, echodb_blob_writer_finish(writer, &out, &error));
    echodb_blob_writer_free(writer);

    OK(echodb_space_read_blob(space, S(id), 199999, 100, &out, &error));
    CHECK(echodb_buffer_len(out) == 1 && echodb_buffer_data(out)[0] == 7);
    echodb_buffer_free(out);
    FAILS_OUT(ECHODB_LIMIT_EXCEEDED, out,
              echodb_space_read_blob(space, S(id), 0, 1u << 30, &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_read_blob(space, S("short"), 0, 1, &out, &error));

    uint8_t whole[200000];
    memset(whole, 7, sizeof whole);
    OK(echodb_space_put_blob(space, whole, sizeof whole, &out, &error));
    char *same = id_of(out);
    CHECK(strcmp(id, same) == 0);
    free(same);
    OK(echodb_space_blobs(space, &out, &error));
    CHECK(holds(out, "\"held\":200000,\"whole\":true"));
    free(id);
}

static void named_and_collected(const char *directory) {
    echodb_buffer *out = NULL;
    OK(echodb_space_put_blob(space, (const uint8_t *)"kept", 4, &out, &error));
    char *kept = id_of(out);
    OK(echodb_space_put_blob(space, (const uint8_t *)"lost", 4, &out, &error));
    char *lost = id_of(out);
    char fields[200];
    snprintf(fields, sizeof fields, "{\"file\": {\"@blob\": \"%s\", \"size\": 4}}", kept);
    OK(echodb_space_create(space, S("File"), S(fields), &out, &error));
    echodb_buffer_free(out);
    OK(echodb_space_collect_blobs(space, 3600, &out, &error));
    CHECK(holds(out, "{\"blobs\":0,\"bytes\":0}"));
    OK(echodb_space_collect_blobs(space, 0, &out, &error));
    /* The one from before, too. */
    CHECK(holds(out, "\"blobs\":2"));
    OK(echodb_space_blob_info(space, S(kept), &out, &error));
    CHECK(holds(out, "\"held\":4") );
    FAILS_OUT(ECHODB_NOT_FOUND, out, echodb_space_blob_info(space, S(lost), &out, &error));

    char path[600];
    snprintf(path, sizeof path, "%s.blob", directory);
    OK(echodb_space_blob_to_file(space, S(kept), S(path), &error));
    FAILS(ECHODB_NOT_FOUND, echodb_space_blob_to_file(space, S(lost), S(path), &error));
    OK(echodb_space_put_blob_file(space, S(path), &out, &error));
    char *again = id_of(out);
    CHECK(strcmp(again, kept) == 0);
    CHECK(remove(path) == 0);
    FAILS_OUT(ECHODB_NOT_FOUND, out, echodb_space_put_blob_file(space, S(path), &out, &error));
    free(again), free(lost), free(kept);
}

static void given_up(void) {
    echodb_blob_writer *writer = NULL;
    echodb_buffer *out = NULL;
    OK(echodb_space_blob_writer(space, &writer, &error));
    OK(echodb_blob_writer_write(writer, (const uint8_t *)"x", 1, &error));
    echodb_blob_writer_cancel(writer);
    FAILS_OUT(ECHODB_INVALID_STATE, out, echodb_blob_writer_finish(writer, &out, &error));
    echodb_blob_writer_cancel(NULL);
    echodb_blob_writer_free(writer);
    echodb_blob_writer_free(NULL);
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_blob_writer_write(NULL, NULL, 0, &error));
}

static echodb_status on_progress(void *data, int32_t state, const char *json, size_t len) {
    (void)json, (void)len;
    *(volatile int *)data = state;
    return ECHODB_OK;
}

static void waited_for(void) {
    echodb_blob_fetch *fetch = NULL;
    echodb_buffer *out = NULL;
    echodb_operation *operation = NULL;
    echodb_subscription *subscription = NULL;
    static int state;
    const char *absent = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq";
    OK(echodb_space_fetch_blob(space, S(absent), &fetch, &error));
    OK(echodb_blob_fetch_subscribe(fetch, on_progress, &state, NULL, &subscription, &error));
    OK(echodb_blob_fetch_progress(fetch, &out, &error));
    CHECK(holds(out, "\"state\":\"fetching\",\"received\":0,"));
    FAILS_OUT(ECHODB_NETWORK, out, echodb_blob_fetch_wait(fetch, 1, &out, &error));
    OK(echodb_blob_fetch_wait_start(fetch, -1, &operation, &error));
    echodb_blob_fetch_cancel(fetch);
    OK(echodb_operation_wait(operation, -1, &error));
    FAILS(ECHODB_CANCELLED, echodb_operation_result(operation, &error));
    echodb_operation_free(operation);
    FAILS_OUT(ECHODB_CANCELLED, out, echodb_blob_fetch_wait(fetch, -1, &out, &error));
    echodb_subscription_free(subscription);
    CHECK(state == ECHODB_BLOB_FETCHING || state == ECHODB_BLOB_CANCELLED);
    echodb_blob_fetch_free(fetch);
    echodb_blob_fetch_free(NULL);
    echodb_blob_fetch_cancel(NULL);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    echodb_client *client = lone_client("Ada");
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    written_and_read();
    named_and_collected(argv[1]);
    given_up();
    waited_for();
    echodb_space_free(space);
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    CHECK(echodb_live_handles() == 0);
    return 0;
}
