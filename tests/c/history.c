/* Conditions on versions, undo and redo, the log, earlier versions and branches from C. */
#include "support.h"

static echodb_space *space;

/* The version of an object, a JSON array. */
static char *version(const char *id) {
    echodb_buffer *object = NULL;
    OK(echodb_space_get(space, S(id), &object, &error));
    char *text = take(object);
    char *heads = list_of(text, "\"heads\":");
    free(text);
    return heads;
}

static int shows(const char *id, const char *piece) {
    echodb_buffer *object = NULL;
    OK(echodb_space_get(space, S(id), &object, &error));
    return holds(object, piece);
}

static void conditions(const char *id) {
    char *first = version(id);
    OK(echodb_space_update(space, S(id), S("{\"n\": 2}"), &error));
    echodb_transaction *tx = NULL;
    echodb_buffer *out = NULL;
    OK(echodb_space_transaction(space, &tx, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_transaction_only_if(tx, S(id), S("[\"x\"]"), &error));
    OK(echodb_transaction_only_if(tx, S(id), S(first), &error));
    OK(echodb_transaction_group(tx, S("a group"), &error));
    OK(echodb_transaction_update(tx, S(id), S("{\"n\": 3}"), &error));
    FAILS_OUT(ECHODB_CONFLICT, out, echodb_transaction_commit(tx, &out, &error));
    echodb_transaction_free(tx);
    CHECK(shows(id, "\"n\":2"));
    free(first);
}

static void undoing(const char *id) {
    echodb_buffer *out = NULL;
    OK(echodb_space_undo(space, &out, &error));
    CHECK(holds(out, "\"skipped\":[]"));
    CHECK(shows(id, "\"n\":1"));
    OK(echodb_space_redo(space, &out, &error));
    CHECK(holds(out, "\"entry\":\""));
    CHECK(shows(id, "\"n\":2"));
    OK(echodb_space_redo(space, &out, &error));
    CHECK(holds(out, "null"));
    OK(echodb_space_log(space, 2, NULL, 0, &out, &error));
    CHECK(holds(out, "\"message\":\"redo\""));
    char *made = version(id);
    OK(echodb_space_log(space, 1, NULL, 0, &out, &error));
    char *log = take(out);
    /* The version that it made, as `["hash"]`. */
    CHECK(strstr(log, "\"versions\":[{") != NULL && strstr(log, made) != NULL);
    free(log);
    free(made);
    OK(echodb_space_history(space, S(id), NULL, 0, &out, &error));
    char *history = take(out);
    CHECK(strstr(history, "\"identity\":\"") != NULL);
    CHECK(strstr(history, "\"device\":\"") != NULL);
    free(history);
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out, echodb_space_log(space, 2, S("x"), &out, &error));
}

static void versions(const char *id) {
    char *old = version(id);
    OK(echodb_space_splice_text(space, S(id), S("t"), 3, 0, S("!"), &error));
    char *new = version(id);
    echodb_buffer *out = NULL;
    OK(echodb_space_get_at(space, S(id), S(old), &out, &error));
    CHECK(holds(out, "{\"@text\":\"h\xc3\xa9\"}"));
    OK(echodb_space_diff(space, S(id), S(old), S(new), &out, &error));
    CHECK(holds(out, "\"position\":3"));
    OK(echodb_space_restore_version(space, S(id), S(old), &out, &error));
    CHECK(holds(out, "\"entry\":\""));
    CHECK(shows(id, "{\"@text\":\"h\xc3\xa9\"}"));
    const char *unknown = "[\"7777777777777777777777777777777777777777777777777777777777777777\"]";
    FAILS_OUT(ECHODB_NOT_FOUND, out, echodb_space_get_at(space, S(id), S(unknown), &out, &error));
    FAILS_OUT(ECHODB_NOT_FOUND, out,
              echodb_space_diff(space, S(id), S(unknown), S(new), &out, &error));
    FAILS_OUT(ECHODB_NOT_FOUND, out,
              echodb_space_restore_version(space, S(id), S(unknown), &out, &error));
    free(old), free(new);
}

static void branching(const char *id) {
    echodb_buffer *out = NULL;
    OK(echodb_space_branch(space, S(id), S("draft"), &out, &error));
    char *branch = take(out);
    FAILS_OUT(ECHODB_ALREADY_EXISTS, out,
              echodb_space_branch(space, S(id), S("draft"), &out, &error));
    OK(echodb_space_branches(space, S(id), &out, &error));
    CHECK(holds(out, "\"name\":\"draft\""));
    OK(echodb_space_update(space, S(branch), S("{\"n\": 9}"), &error));
    CHECK(shows(id, "\"n\":2"));
    OK(echodb_space_merge_branch(space, S(branch), &out, &error));
    CHECK(holds(out, "\"entry\":\""));
    CHECK(shows(id, "\"n\":9"));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_merge_branch(space, S(id), &out, &error));
    free(branch);
}

int main(void) {
    echodb_client *client = lone_client("Ada");
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    echodb_buffer *out = NULL;
    const char *fields = "{\"n\": 1, \"t\": {\"@text\": \"h\xc3\xa9\"}}";
    OK(echodb_space_create(space, NULL, 0, S(fields), &out, &error));
    char *id = take(out);
    conditions(id);
    undoing(id);
    versions(id);
    branching(id);
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out, echodb_space_undo(NULL, &out, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_space_undo(space, NULL, &error));
    free(id);
    echodb_space_free(space);
    echodb_client_free(client);
    return 0;
}
