/* What an identity shows, and how a program without any verifies it. */
#include "support.h"

static const uint8_t nonce[32] = {7};

#define NONCE nonce, sizeof(nonce)
#define BYTES(buffer) (const uint8_t *)echodb_buffer_data(buffer), echodb_buffer_len(buffer)

/* The text after a key in JSON; the caller frees it. */
static char *member(const char *json, const char *key) {
    const char *start = strstr(json, key);
    CHECK(start != NULL);
    start += strlen(key);
    size_t len = strcspn(start, "\"");
    char *text = malloc(len + 1);
    CHECK(text != NULL);
    memcpy(text, start, len);
    text[len] = '\0';
    return text;
}

static echodb_client *open_client(const char *name) {
    echodb_client_options *options = NULL;
    echodb_client *client = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_set_online(options, false, &error));
    OK(echodb_client_open(options, &client, &error));
    echodb_client_options_free(options);
    FAILS_OUT(ECHODB_INVALID_STATE, buffer, echodb_client_credentials(client, &buffer, &error));
    OK(echodb_client_create_identity(client, S(name), &buffer, &error));
    echodb_buffer_free(buffer);
    return client;
}

static void presentations(echodb_client *client, const char *identity) {
    echodb_buffer *shown = NULL, *out = NULL;
    OK(echodb_client_credentials(client, &out, &error));
    CHECK(holds(out, "\"role\":\"owner\""));
    OK(echodb_client_present_credentials(client, S("[\"identity\"]"), NONCE, S("here"), &shown,
                                         &error));
    OK(echodb_verify_presentation(BYTES(shown), NONCE, S("here"), -1, &out, &error));
    CHECK(holds(out, identity));
    OK(echodb_client_verify_presentation(client, BYTES(shown), NONCE, S("here"), -1, &out, &error));
    CHECK(holds(out, "\"device_checked\":true"));
    FAILS_OUT(ECHODB_WRONG_AUDIENCE, out,
              echodb_verify_presentation(BYTES(shown), NONCE, S("there"), -1, &out, &error));
    FAILS_OUT(ECHODB_WRONG_NONCE, out,
              echodb_verify_presentation(BYTES(shown), nonce, 16, S("here"), -1, &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_verify_presentation(BYTES(shown), NONCE, S(""), -1, &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_verify_presentation(nonce, 3, NONCE, S("here"), -1, &out, &error));
    FAILS_OUT(ECHODB_NOT_FOUND, out,
              echodb_client_present_credentials(client, S("[\"x\"]"), NONCE, S("here"), &out,
                                                &error));
    OK(echodb_credential_code(BYTES(shown), &out, &error));
    CHECK(holds(out, "echodb-presentation-"));
    echodb_buffer_free(shown);
}

static void statements(echodb_client *issuer, echodb_client *holder, const char *subject) {
    echodb_buffer *bytes = NULL, *code = NULL, *out = NULL;
    OK(echodb_client_issue_credential(issuer, S(subject), S("diploma"), S("{\"n\": 1}"), -1, &out,
                                      &error));
    char *issued = take(out);
    CHECK(strstr(issued, "\"claims\":{\"n\":1}") != NULL);
    char *id = member(issued, "\"id\":\"");
    OK(echodb_client_export_credential(issuer, S(id), &bytes, &error));
    OK(echodb_read_credential(BYTES(bytes), -1, &out, &error));
    CHECK(holds(out, "\"kind\":\"statement\""));
    OK(echodb_credential_code(BYTES(bytes), &code, &error));
    OK(echodb_client_import_credential(holder, BYTES(code), &out, &error));
    CHECK(holds(out, id));
    OK(echodb_client_remove_credential(holder, S(id), &error));
    FAILS(ECHODB_NOT_FOUND, echodb_client_remove_credential(holder, S(id), &error));
    FAILS_OUT(ECHODB_NOT_FOUND, out,
              echodb_client_export_credential(holder, S(id), &out, &error));
    OK(echodb_client_issue_credential(issuer, S(subject), S("pass"), S("{}"), INT64_MAX, &out,
                                      &error));
    CHECK(holds(out, "\"expires_ms\":9223372036854775807"));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_client_issue_credential(issuer, S(subject), S("pass"), S("[]"), -1, &out,
                                             &error));
    free(issued);
    free(id);
    echodb_buffer_free(bytes);
    echodb_buffer_free(code);
}

/* Every call used wrongly. */
static void misuse(echodb_client *client) {
    const echodb_status bad = ECHODB_INVALID_ARGUMENT;
    echodb_buffer *out = NULL;
    FAILS_OUT(bad, out, echodb_client_credentials(NULL, &out, &error));
    FAILS(bad, echodb_client_credentials(client, NULL, &error));
    FAILS_OUT(bad, out, echodb_client_export_credential(NULL, S("identity"), &out, &error));
    FAILS_OUT(bad, out, echodb_client_export_credential(client, "\xff", 1, &out, &error));
    FAILS_OUT(bad, out,
              echodb_client_present_credentials(NULL, NULL, 0, NONCE, S("a"), &out, &error));
    FAILS_OUT(bad, out,
              echodb_client_present_credentials(client, S("{"), NONCE, S("a"), &out, &error));
    FAILS_OUT(bad, out,
              echodb_client_present_credentials(client, NULL, 0, NULL, 32, S("a"), &out, &error));
    FAILS_OUT(bad, out,
              echodb_client_verify_presentation(NULL, NONCE, NONCE, S("a"), -1, &out, &error));
    FAILS_OUT(bad, out,
              echodb_client_verify_presentation(client, NULL, 3, NONCE, S("a"), -1, &out, &error));
    FAILS_OUT(bad, out,
              echodb_client_issue_credential(NULL, S("a"), S("b"), S("{}"), -1, &out, &error));
    FAILS_OUT(bad, out,
              echodb_client_issue_credential(client, S("a"), S("b"), S("{}"), -1, &out, &error));
    FAILS_OUT(bad, out, echodb_client_import_credential(NULL, NONCE, &out, &error));
    FAILS_OUT(bad, out, echodb_client_import_credential(client, NULL, 0, &out, &error));
    FAILS(bad, echodb_client_remove_credential(NULL, S("a"), &error));
    FAILS_OUT(bad, out, echodb_read_credential(NULL, 7, -1, &out, &error));
    FAILS_OUT(bad, out, echodb_read_credential(NULL, 0, -1, &out, &error));
    FAILS(bad, echodb_read_credential(NONCE, -1, NULL, &error));
    FAILS_OUT(bad, out, echodb_verify_presentation(NONCE, NULL, 0, S("a"), -1, &out, &error));
    FAILS_OUT(bad, out, echodb_credential_code(NULL, 0, &out, &error));
    FAILS(bad, echodb_credential_code(NONCE, NULL, &error));
}

int main(void) {
    echodb_client *ada = open_client("Ada"), *bob = open_client("Bob");
    echodb_buffer *buffer = NULL;
    OK(echodb_client_identity(bob, &buffer, &error));
    char *json = take(buffer);
    char *identity = member(json, "\"identity\":\"");
    misuse(bob);
    presentations(bob, identity);
    statements(ada, bob, identity);
    free(json);
    free(identity);
    echodb_client_free(ada);
    echodb_client_free(bob);
    CHECK(echodb_live_handles() == 0);
    return 0;
}
