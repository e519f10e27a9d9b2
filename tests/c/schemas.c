/* Schemas, violations and migrations from C. */
#include "support.h"

static echodb_space *space;

static const char *V1 = "{\"required\": [\"title\"], \"properties\": {\"title\": {\"maxLength\": 5}}}";
static const char *V2 = "{\"required\": [\"name\"], \"properties\": {\"title\": false}}";

static uint32_t registered(const char *schema, uint32_t version) {
    uint32_t out = 0;
    OK(echodb_space_register_schema(space, S("Task"), S(schema), version, &out, &error));
    return out;
}

static char *create(const char *fields) {
    echodb_buffer *out = NULL;
    OK(echodb_space_create(space, S("Task"), S(fields), &out, &error));
    return take(out);
}

static void registering(void) {
    echodb_buffer *out = (echodb_buffer *)&sentinel;
    OK(echodb_space_schema(space, S("Task"), &out, &error));
    CHECK(out == NULL);
    CHECK(registered(V1, 0) == 1 && registered(V1, 0) == 1 && registered(V1, 1) == 1);
    uint32_t version = 7;
    FAILS(ECHODB_ALREADY_EXISTS,
          echodb_space_register_schema(space, S("Task"), S(V2), 1, &version, &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_space_register_schema(space, S("Task"), S("{\"type\": 1}"), 0, &version, &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_space_register_schema(space, S("Task"), S("{}"), 0, NULL, &error));
    CHECK(version == 7);
    OK(echodb_space_schema(space, S("Task"), &out, &error));
    CHECK(holds(out, "\"version\":1"));
    OK(echodb_space_schemas(space, &out, &error));
    char *all = take(out);
    CHECK(strstr(all, "\"type\":\"Task\"") && strstr(all, "\"problem\":null"));
    CHECK(strstr(all, "\"conflict\":false") && strstr(all, "\"withdrawn\":false"));
    free(all);
}

static void checking(void) {
    echodb_buffer *out = NULL;
    FAILS_OUT(ECHODB_SCHEMA_VIOLATION, out,
              echodb_space_create(space, S("Task"), S("{\"title\": \"too long\"}"), &out, &error));
    char *task = create("{\"title\": \"short\"}");
    FAILS(ECHODB_SCHEMA_VIOLATION, echodb_space_update(space, S(task), S("{\"title\": \"too long\"}"), &error));
    free(task);
    OK(echodb_space_violations(space, &out, &error));
    CHECK(holds(out, "[]"));
    OK(echodb_space_status(space, &out, &error));
    CHECK(holds(out, "\"violations\":0"));
}

struct state {
    int calls, destroyed;
    echodb_status answer;
};

static echodb_status rename_title(void *data, const char *id, size_t id_len, uint32_t version,
                                  const char *fields, size_t fields_len, echodb_migrated *out) {
    struct state *state = data;
    state->calls++;
    CHECK(id_len == 26 && version == 1 && fields_len > 0 && strstr(fields, "title") != NULL);
    char key[32];
    snprintf(key, sizeof key, "{\"name\": \"%.4s\"}", id);
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_migrated_set_fields(NULL, S(key), &error));
    OK(echodb_migrated_set_fields(out, S(key), &error));
    return state->answer;
}

static echodb_status leave(void *data, const char *id, size_t id_len, uint32_t version,
                           const char *fields, size_t fields_len, echodb_migrated *out) {
    (void)data, (void)id, (void)id_len, (void)version, (void)fields, (void)fields_len, (void)out;
    return ECHODB_OK;
}

static void destroy_state(void *data) { ((struct state *)data)->destroyed++; }

static void migrating(void) {
    echodb_buffer *out = NULL;
    struct state state = {0, 0, ECHODB_OK};
    FAILS_OUT(ECHODB_NOT_FOUND, out,
              echodb_space_migrate(space, S("Task"), 2, rename_title, &state, destroy_state, &out,
                                   &error));
    CHECK(state.destroyed == 1);
    CHECK(registered(V2, 0) == 2);
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_migrate(space, S("Task"), 2, NULL, &state, destroy_state, &out, &error));
    CHECK(state.destroyed == 2 && state.calls == 0);
    OK(echodb_space_migrate(space, S("Task"), 2, leave, NULL, NULL, &out, &error));
    CHECK(holds(out, "\"left\":1"));
    state.answer = ECHODB_CALLBACK;
    OK(echodb_space_migrate(space, S("Task"), 2, rename_title, &state, destroy_state, &out, &error));
    CHECK(holds(out, "\"failed\":1"));
    state.answer = ECHODB_CANCELLED;
    FAILS_OUT(ECHODB_CANCELLED, out,
              echodb_space_migrate(space, S("Task"), 2, rename_title, &state, destroy_state, &out,
                                   &error));
    state.answer = ECHODB_OK;
    OK(echodb_space_migrate(space, S("Task"), 2, rename_title, &state, destroy_state, &out, &error));
    CHECK(holds(out, "{\"migrated\":1,\"left\":0,\"failed\":0,\"failures\":[]}"));
    CHECK(state.calls == 3 && state.destroyed == 5);
    OK(echodb_space_query(space, S("{\"type\": \"Task\"}"), &out, &error));
    char *found = take(out);
    CHECK(strstr(found, "\"schema_version\":2") && strstr(found, "\"name\"") && !strstr(found, "\"title\""));
    free(found);
}

int main(void) {
    echodb_client *client = lone_client("Ada");
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    registering();
    checking();
    migrating();
    echodb_space_free(space);
    echodb_client_free(client);
    return 0;
}
