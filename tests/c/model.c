/* Tags, keys, relations, natural keys, moves, marks, cursors and conflicts from C. */
#include "support.h"

static echodb_space *space;

static char *get(const char *id) {
    echodb_buffer *object = NULL;
    OK(echodb_space_get(space, S(id), &object, &error));
    return take(object);
}

static void labels(void) {
    echodb_transaction *tx = NULL;
    echodb_buffer *out = NULL;
    OK(echodb_space_transaction(space, &tx, &error));
    OK(echodb_transaction_create(tx, S("Person"), S("{\"name\": \"Ada\"}"), &out, &error));
    char *ada = take(out);
    OK(echodb_transaction_create(tx, S("Person"), S("{\"name\": \"Bob\"}"), &out, &error));
    char *bob = take(out);
    OK(echodb_transaction_create(tx, S("Knows"), S("{}"), &out, &error));
    char *knows = take(out);
    OK(echodb_transaction_relate(tx, S(knows), S(ada), S(bob), &error));
    OK(echodb_transaction_tag(tx, S(ada), S("friend"), &error));
    OK(echodb_transaction_tag(tx, S(ada), S("gone"), &error));
    OK(echodb_transaction_untag(tx, S(ada), S("gone"), &error));
    OK(echodb_transaction_set_key(tx, S(ada), S("github"), S("42"), &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_transaction_tag(tx, S(ada), S(""), &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_transaction_set_key(tx, S(ada), S("@x"), S("1"), &error));
    OK(echodb_transaction_commit(tx, &out, &error));
    echodb_buffer_free(out);
    echodb_transaction_free(tx);
    char *object = get(ada);
    CHECK(strstr(object, "\"tags\":[\"friend\"]") != NULL);
    CHECK(strstr(object, "\"keys\":{\"github\":\"42\"}") != NULL);
    free(object);
    object = get(knows);
    CHECK(strstr(object, ada) != NULL && strstr(object, bob) != NULL);
    free(object);
    free(ada), free(bob), free(knows);
}

static char *with_key(const char *fields) {
    echodb_transaction *tx = NULL;
    echodb_buffer *out = NULL;
    OK(echodb_space_transaction(space, &tx, &error));
    OK(echodb_transaction_create_with_key(tx, S("Book"), S("isbn:1"), S(fields), &out, &error));
    char *id = take(out);
    OK(echodb_transaction_commit(tx, &out, &error));
    echodb_buffer_free(out);
    echodb_transaction_free(tx);
    return id;
}

static void natural_keys(void) {
    char *first = with_key("{\"title\": \"One\", \"pages\": 1}");
    char *second = with_key("{\"title\": \"Two\"}");
    CHECK(strcmp(first, second) == 0);
    char *object = get(first);
    CHECK(strstr(object, "\"title\":\"Two\"") != NULL && strstr(object, "\"pages\":1") != NULL);
    CHECK(strstr(object, "\"natural\":\"isbn:1\"") != NULL);
    free(object), free(first), free(second);
}

static void texts(void) {
    echodb_buffer *out = NULL;
    OK(echodb_space_create(space, S("Note"),
                           S("{\"text\": {\"@text\": \"h\u00e9llo\"}, \"l\": [1, 2, 3]}"), &out, &error));
    char *id = take(out);
    echodb_transaction *tx = NULL;
    OK(echodb_space_transaction(space, &tx, &error));
    OK(echodb_transaction_mark(tx, S(id), S("text"), 0, 3, S("bold"), S("true"),
                               ECHODB_MARK_EXPAND_AFTER, &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_transaction_mark(tx, S(id), S("text"), 0, 3, S("bold"), S("true"), 9, &error));
    OK(echodb_transaction_move_item(tx, S(id), S("/l/0"), 2, &error));
    OK(echodb_transaction_commit(tx, &out, &error));
    echodb_buffer_free(out);
    echodb_transaction_free(tx);
    OK(echodb_space_marks(space, S(id), S("text"), &out, &error));
    CHECK(holds(out, "{\"start\":0,\"end\":3,\"name\":\"bold\",\"value\":true}"));
    char *object = get(id);
    CHECK(strstr(object, "\"l\":[2,3,1]") != NULL);
    free(object);

    OK(echodb_space_cursor(space, S(id), S("text"), 3, &out, &error));
    char *cursor = take(out);
    OK(echodb_space_splice_text(space, S(id), S("text"), 0, 0, S("o\xc3\xa9 "), &error));
    uint64_t position = 0;
    OK(echodb_space_cursor_position(space, S(id), S("text"), S(cursor), &position, &error));
    CHECK(position == 7);
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_space_cursor_position(space, S(id), S("text"), S("nonsense"), &position, &error));
    OK(echodb_space_conflicts(space, S(id), S("/l/0"), &out, &error));
    CHECK(holds(out, "[2]"));
    FAILS_OUT(ECHODB_NOT_FOUND, out, echodb_space_conflicts(space, S(id), S("none"), &out, &error));
    free(cursor), free(id);
}

/* Two values in one place: one written now, and one as if it had been at the same time. */
static void conflict(void) {
    echodb_buffer *out = NULL;
    OK(echodb_space_create(space, S("Note"), S("{\"n\": 1}"), &out, &error));
    char *id = take(out);
    char *before = get(id);
    char *heads = list_of(before, "\"heads\"");
    OK(echodb_space_update(space, S(id), S("{\"n\": 2}"), &error));
    echodb_transaction *tx = NULL;
    OK(echodb_space_transaction(space, &tx, &error));
    OK(echodb_transaction_at(tx, S(heads), &error));
    OK(echodb_transaction_set(tx, S(id), S("n"), S("3"), &error));
    OK(echodb_transaction_commit(tx, &out, &error));
    echodb_buffer_free(out);
    echodb_transaction_free(tx);
    char *now = get(id);
    /* The value that reads show comes last. */
    const char *values = strstr(now, "\"n\":2") != NULL ? "[3,2]" : "[2,3]";
    CHECK(strstr(now, "\"n\":2") != NULL || strstr(now, "\"n\":3") != NULL);
    OK(echodb_space_conflicts(space, S(id), S("n"), &out, &error));
    CHECK(holds(out, values));
    OK(echodb_space_update(space, S(id), S("{\"n\": 4}"), &error));
    OK(echodb_space_conflicts(space, S(id), S("n"), &out, &error));
    CHECK(holds(out, "[4]"));
    free(id), free(before), free(heads), free(now);
}

int main(void) {
    echodb_client *client = lone_client("Ada");
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    labels();
    natural_keys();
    texts();
    conflict();
    echodb_space_free(space);
    echodb_client_free(client);
    return 0;
}
