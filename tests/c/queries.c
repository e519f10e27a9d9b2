/* Links, steps, pages, aggregation, explanation and several spaces from C. */
#include "support.h"

static echodb_client *client;
static echodb_space *space;

static char *create(const char *type, const char *fields) {
    echodb_buffer *out = NULL;
    OK(echodb_space_create(space, S(type), S(fields), &out, &error));
    return take(out);
}

static int finds(const char *query, const char *id) {
    echodb_buffer *out = NULL;
    OK(echodb_space_query(space, S(query), &out, &error));
    char *found = take(out);
    int there = strstr(found, id) != NULL;
    free(found);
    return there;
}

static void links(void) {
    char text[256];
    char *ada = create("Person", "{\"name\": \"Ada\"}");
    snprintf(text, sizeof text, "{\"n\": 1, \"author\": {\"@ref\": \"echo:%s\"}}", ada);
    char *note = create("Note", text);
    char *other = create("Note", "{\"n\": 2}");
    snprintf(text, sizeof text, "{\"refers_to\": {\"path\": \"author\", \"id\": \"%s\"}}", ada);
    CHECK(finds(text, note) && !finds(text, other));
    const char *by_name = "{\"refers_to\": {\"where\": {\"field\": \"name\", \"op\": \"eq\", "
                          "\"value\": \"Ada\"}}}";
    CHECK(finds(by_name, note) && !finds(by_name, other));
    const char *authors = "{\"where\": {\"type\": \"Note\"}, \"follow\": [{\"refers_to\": true}]}";
    CHECK(finds(authors, "Ada") && !finds(authors, note));
    free(ada), free(note), free(other);
}

static void pages(void) {
    const char *query = "{\"where\": {\"type\": \"Note\"}, \"order\": [{\"by\": \"n\"}], "
                        "\"limit\": 1}";
    echodb_buffer *out = NULL;
    OK(echodb_space_query_page(space, S(query), NULL, 0, &out, &error));
    char *page = take(out);
    CHECK(strncmp(page, "{\"objects\":[{", 13) == 0 && strstr(page, "\"n\":1") != NULL);
    char *next = strstr(page, "\"next\":\"");
    CHECK(next != NULL);
    next += 8;
    char *end = strchr(next, '"');
    CHECK(end != NULL);
    OK(echodb_space_query_page(space, S(query), next, (size_t)(end - next), &out, &error));
    char *second = take(out);
    CHECK(strstr(second, "\"n\":2") != NULL && strstr(second, "\"next\":null") != NULL);
    free(second);
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_query_page(space, S("{}"), next, (size_t)(end - next), &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_query_page(space, S(query), S("nonsense"), &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_query_page(NULL, S(query), NULL, 0, &out, &error));
    FAILS_OUT(ECHODB_LIMIT_EXCEEDED, out,
              echodb_space_query_page(space, S("{\"limit\": 0}"), NULL, 0, &out, &error));
    free(page);
}

static void aggregation(void) {
    echodb_buffer *out = NULL;
    const char *query = "{\"group\": [\"type\"], \"aggregate\": {\"n\": \"count\", \"sum\": "
                        "{\"sum\": \"n\"}}, \"order\": [{\"by\": \"n\", \"desc\": true}]}";
    OK(echodb_space_aggregate(space, S(query), &out, &error));
    char *found = take(out);
    CHECK(strcmp(found, "[{\"group\":[\"Note\"],\"values\":{\"n\":2,\"sum\":3}},"
                        "{\"group\":[\"Person\"],\"values\":{\"n\":1,\"sum\":0}}]") == 0);
    free(found);
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_aggregate(space, S("{\"group\": 1}"), &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out, echodb_space_aggregate(NULL, S("{}"), &out, &error));
    OK(echodb_space_explain(space, S("{\"type\": \"Note\"}"), &out, &error));
    CHECK(holds(out, "\"indexes\":[\"objects_type\"],\"scans\":false"));
    OK(echodb_space_explain(space, S(query), &out, &error));
    CHECK(holds(out, "GROUP BY"));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out, echodb_space_explain(space, S("["), &out, &error));
}

static void several_spaces(void) {
    echodb_space *second = NULL;
    echodb_buffer *out = NULL;
    OK(echodb_client_create_space(client, S("{}"), &second, &error));
    OK(echodb_space_create(second, S("Note"), S("{\"n\": 1.5}"), &out, &error));
    echodb_buffer_free(out);
    const char *query = "{\"where\": {\"type\": \"Note\"}, \"order\": [{\"by\": \"n\"}], "
                        "\"skip\": 1, \"limit\": 1}";
    OK(echodb_client_query(client, NULL, 0, S(query), &out, &error));
    char *found = take(out);
    OK(echodb_space_id(second, &out, &error));
    char *id = take(out);
    CHECK(strncmp(found, "[{\"space\":\"", 11) == 0 && strncmp(found + 11, id, strlen(id)) == 0);
    CHECK(strstr(found, "\"n\":1.5") != NULL && strstr(found, "\"n\":2") == NULL);
    char list[128];
    snprintf(list, sizeof list, "[\"%s\"]", id);
    OK(echodb_client_query(client, S(list), S(query), &out, &error));
    CHECK(holds(out, "[]"));
    OK(echodb_space_close(second, &error));
    FAILS_OUT(ECHODB_INVALID_STATE, out,
              echodb_client_query(client, S(list), S(query), &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_client_query(client, S("[\"x\"]"), S(query), &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_client_query(NULL, NULL, 0, S(query), &out, &error));
    free(found), free(id);
    echodb_space_free(second);
}

int main(void) {
    client = lone_client("Ada");
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    links();
    pages();
    aggregation();
    several_spaces();
    echodb_space_free(space);
    echodb_client_free(client);
    return 0;
}
