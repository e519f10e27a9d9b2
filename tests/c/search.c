/* Searches for words, and indexes, from C. */
#include "support.h"

static echodb_space *space;

static void searches(void) {
    echodb_buffer *out = NULL;
    OK(echodb_space_create(space, S("Note"), S("{\"title\": \"Red roses\", \"n\": 1}"), &out, &error));
    char *roses = take(out);
    OK(echodb_space_create(space, S("Note"),
                           S("{\"title\": \"Other\", \"body\": {\"@text\": \"h\u00e9llo r\u00e9d\"}}"), &out,
                           &error));
    char *other = take(out);
    OK(echodb_space_search(space, S("roses"), NULL, 0, &out, &error));
    char *found = take(out);
    CHECK(strstr(found, roses) != NULL && strstr(found, other) == NULL);
    CHECK(strstr(found, "\"rank\":-") != NULL);
    CHECK(strstr(found, "\"snippet\":{\"path\":\"/title\",\"text\":\"Red roses\",\"start\":0,"
                        "\"more\":false,\"ranges\":[[4,9]]}") != NULL);
    free(found);
    OK(echodb_space_search(space, S("RED"), S("{\"in\": [\"body\"], \"limit\": 5, \"skip\": 0}"), &out,
                           &error));
    found = take(out);
    CHECK(strstr(found, other) != NULL && strstr(found, roses) == NULL);
    CHECK(strstr(found, "\"ranges\":[[7,11]]") != NULL);
    free(found);
    OK(echodb_space_search(space, S("red"), S("{\"where\": {\"field\": \"n\", \"op\": \"eq\", "
                                              "\"value\": 1}, \"snippet_chars\": 0}"),
                           &out, &error));
    found = take(out);
    CHECK(strstr(found, roses) != NULL && strstr(found, "\"snippet\":null") != NULL);
    free(found);
    OK(echodb_space_search(space, S("\"' OR NEAR( -"), NULL, 0, &out, &error));
    CHECK(holds(out, "[]"));
    OK(echodb_space_search(space, NULL, 0, NULL, 0, &out, &error));
    CHECK(holds(out, "[]"));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_search(space, S("a"), S("{\"order\": 1}"), &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_search(space, S("a"), S("{\"limit\": -1}"), &out, &error));
    FAILS_OUT(ECHODB_LIMIT_EXCEEDED, out,
              echodb_space_search(space, S("a"), S("{\"limit\": 1001}"), &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_search(NULL, S("a"), NULL, 0, &out, &error));
    free(roses), free(other);
}

static void indexes(void) {
    echodb_buffer *out = NULL;
    OK(echodb_space_create_index(space, S("Note"), S("title"), &error));
    OK(echodb_space_create_index(space, S("Note"), S("/title"), &error));
    OK(echodb_space_create_index(space, NULL, 0, S("updated"), &error));
    OK(echodb_space_indexes(space, &out, &error));
    CHECK(holds(out, "[{\"type\":\"Note\",\"path\":\"/title\"},{\"type\":null,\"path\":\"updated\"}]"));
    OK(echodb_space_query(space, S("{\"type\": \"Note\", \"field\": \"title\", \"op\": \"prefix\", "
                                   "\"value\": \"Red\"}"),
                          &out, &error));
    char *found = take(out);
    CHECK(strstr(found, "Red roses") != NULL && strstr(found, "Other") == NULL);
    free(found);
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_space_create_index(space, NULL, 0, S("id"), &error));
    OK(echodb_space_drop_index(space, NULL, 0, S("updated"), &error));
    FAILS(ECHODB_NOT_FOUND, echodb_space_drop_index(space, NULL, 0, S("updated"), &error));
}

int main(void) {
    echodb_client *client = lone_client("Ada");
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    searches();
    indexes();
    echodb_space_free(space);
    echodb_client_free(client);
    return 0;
}
