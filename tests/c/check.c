/* Checking what is stored of a space, and making it again, from C; the bound of memory. */
#include "support.h"

static void bound(void) {
    echodb_client_options *options = NULL;
    echodb_client *client = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_set_online(options, false, &error));
    OK(echodb_client_options_set_cache_bytes(options, 1000, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, client, echodb_client_open(options, &client, &error));
    OK(echodb_client_options_set_cache_bytes(options, 4 << 20, &error));
    OK(echodb_client_open(options, &client, &error));
    echodb_client_free(client);
    echodb_client_options_free(options);
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_client_options_set_cache_bytes(NULL, 1 << 20, &error));
}

int main(void) {
    echodb_client *client = lone_client("Ada");
    echodb_space *space = NULL;
    echodb_buffer *out = NULL;
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    OK(echodb_space_create(space, S("Note"), S("{\"n\": 1}"), &out, &error));
    char *note = take(out);
    OK(echodb_space_check(space, false, &out, &error));
    CHECK(holds(out, "{\"findings\":[],\"more_findings\":0,\"entries\":"));
    OK(echodb_space_check(space, true, &out, &error));
    CHECK(holds(out, "\"objects\":1,\"blobs\":0}"));
    OK(echodb_space_repair(space, &out, &error));
    CHECK(holds(out, "\"lost_entries\":0,\"lost\":[],\"damaged_blocks\":0,"
                     "\"incomplete_blobs\":[],\"kept_file\":null}"));
    OK(echodb_space_get(space, S(note), &out, &error));
    CHECK(holds(out, "\"n\":1"));
    free(note);
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out, echodb_space_check(NULL, true, &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out, echodb_space_repair(NULL, &out, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_space_check(space, true, NULL, &error));
    echodb_space_free(space);
    echodb_client_free(client);
    bound();
    return 0;
}
