#include <poll.h>
/* Encryption at rest from C: passphrases, a key provider, and who frees what. argv[1] is a directory
 * for a profile. */
#include "support.h"

typedef struct {
    unsigned char key[32];
    size_t stored;
    size_t loaded;
    int locked;
    volatile int destroyed; /* Set by a thread of the library. */
} keys;

static echodb_status load(void *data, const char *profile, size_t len, uint8_t *key) {
    keys *k = data;
    CHECK(len == 32 && profile != NULL);
    k->loaded++;
    if (k->locked) {
        return ECHODB_TIMED_OUT;
    }
    if (k->stored == 0) {
        return ECHODB_NOT_FOUND;
    }
    memcpy(key, k->key, 32);
    return ECHODB_OK;
}

static echodb_status store(void *data, const char *profile, size_t len, const uint8_t *key) {
    keys *k = data;
    CHECK(len == 32 && profile != NULL);
    k->stored++;
    memcpy(k->key, key, 32);
    return ECHODB_OK;
}

static void destroy(void *data) { ((keys *)data)->destroyed++; }

static echodb_client_options *options_for(const char *path) {
    echodb_client_options *options = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_set_online(options, false, &error));
    OK(echodb_client_options_set_profile(options, S(path), &error));
    return options;
}

static void is(echodb_client *client, const char *kept) {
    echodb_buffer *buffer = NULL;
    char wanted[64];
    char *status;
    OK(echodb_client_status(client, &buffer, &error));
    status = take(buffer);
    snprintf(wanted, sizeof wanted, "\"encryption\":\"%s\"", kept);
    CHECK(strstr(status, wanted) != NULL);
    free(status);
}

static echodb_client *open_with(const char *path, const char *passphrase) {
    echodb_client *client = NULL;
    echodb_client_options *options = options_for(path);
    OK(echodb_client_options_set_passphrase(options, S(passphrase), &error));
    OK(echodb_client_open(options, &client, &error));
    echodb_client_options_free(options);
    return client;
}

static void passphrases(const char *path) {
    echodb_client *client = open_with(path, "one");
    echodb_client_options *options = options_for(path);
    is(client, "passphrase");
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    client = NULL;
    FAILS_OUT(ECHODB_KEY_UNAVAILABLE, client, echodb_client_open(options, &client, &error));
    OK(echodb_client_options_set_passphrase(options, S("two"), &error));
    FAILS_OUT(ECHODB_WRONG_PASSPHRASE, client, echodb_client_open(options, &client, &error));
    client = open_with(path, "one");
    FAILS(ECHODB_WRONG_PASSPHRASE,
          echodb_client_set_passphrase(client, S("no"), S("two"), &error));
    FAILS(ECHODB_WRONG_PASSPHRASE,
          echodb_client_set_passphrase(client, NULL, 0, S("two"), &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_client_set_passphrase(NULL, S("one"), S("two"), &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_client_set_passphrase(client, NULL, 3, S("two"), &error));
    OK(echodb_client_set_passphrase(client, S("one"), S("two"), &error));
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    client = open_with(path, "two");
    OK(echodb_client_set_passphrase(client, S("two"), NULL, 0, &error));
    is(client, "file_key");
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    OK(echodb_client_options_set_passphrase(options, NULL, 0, &error));
    OK(echodb_client_open(options, &client, &error));
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    echodb_client_options_free(options);
}

static void providers(const char *path) {
    keys k = {{0}, 0, 0, 0, 0};
    echodb_client *client = NULL;
    echodb_client_options *options = options_for(path);
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_client_options_set_key_provider(options, NULL, store, &k, destroy, &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_client_options_set_key_provider(options, load, NULL, &k, destroy, &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_client_options_set_key_provider(NULL, load, store, &k, destroy, &error));
    CHECK(k.destroyed == 3);
    OK(echodb_client_options_set_key_provider(options, load, store, &k, destroy, &error));
    OK(echodb_client_open(options, &client, &error));
    is(client, "key_provider");
    CHECK(k.stored == 1);
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    k.locked = 1;
    FAILS_OUT(ECHODB_KEY_UNAVAILABLE, client, echodb_client_open(options, &client, &error));
    k.locked = 0;
    OK(echodb_client_open(options, &client, &error));
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    k.key[5] ^= 1;
    FAILS_OUT(ECHODB_KEY_UNAVAILABLE, client, echodb_client_open(options, &client, &error));
    CHECK(k.stored == 1 && k.loaded >= 4);
    echodb_client_options_free(options);
    /* The last of it goes with the client's, which ends on a thread of the library's. */
    for (int i = 0; i < 3000 && k.destroyed != 4; i++)
        poll(NULL, 0, 10);
    CHECK(k.destroyed == 4);
}

static void off(const char *path) {
    echodb_client *client = NULL;
    echodb_client_options *options = options_for(path);
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_client_options_set_encryption(options, 7, &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_client_options_set_encryption(NULL, ECHODB_ENCRYPTION_OFF, &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_client_options_set_passphrase(NULL, S("one"), &error));
    OK(echodb_client_options_set_encryption(options, ECHODB_ENCRYPTION_OFF, &error));
    OK(echodb_client_open(options, &client, &error));
    is(client, "plain");
    FAILS(ECHODB_INVALID_STATE,
          echodb_client_set_passphrase(client, NULL, 0, S("one"), &error));
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    OK(echodb_client_options_set_encryption(options, ECHODB_ENCRYPTION_AUTO, &error));
    OK(echodb_client_open(options, &client, &error));
    is(client, "file_key");
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    echodb_client_options_free(options);
}

int main(int argc, char **argv) {
    char path[4096];
    CHECK(argc == 2);
    snprintf(path, sizeof path, "%s-passphrase", argv[1]);
    passphrases(path);
    snprintf(path, sizeof path, "%s-provider", argv[1]);
    providers(path);
    snprintf(path, sizeof path, "%s-off", argv[1]);
    off(path);
    return 0;
}
