/* A laptop, a phone that becomes another device of the same identity, and a client that recovers it,
 * through the signalling server at argv[1]. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <poll.h>
#include <pthread.h>

/* Which changes of the identity were told. */
struct heard {
    pthread_mutex_t lock;
    int changes;
    int destroyed;
};

static echodb_status on_change(void *data, int32_t change) {
    struct heard *heard = data;
    CHECK(change >= ECHODB_IDENTITY_SPACES && change <= ECHODB_IDENTITY_REVOKED);
    pthread_mutex_lock(&heard->lock);
    heard->changes |= 1 << change;
    pthread_mutex_unlock(&heard->lock);
    return ECHODB_OK;
}

static void on_change_destroy(void *data) { ((struct heard *)data)->destroyed++; }

static int has_heard(struct heard *heard, int32_t change) {
    pthread_mutex_lock(&heard->lock);
    int found = (heard->changes & (1 << change)) != 0;
    pthread_mutex_unlock(&heard->lock);
    return found;
}

static echodb_client *open_client(const char *url) {
    echodb_client_options *options = NULL;
    echodb_client *client = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_add_signaling(options, S(url), &error));
    OK(echodb_client_options_add_bind(options, S("127.0.0.1:0"), &error));
    OK(echodb_client_open(options, &client, &error));
    echodb_client_options_free(options);
    return client;
}

/* Waits until the host shows its code and the guest is asked for it, and enters it. */
static void enter(echodb_invitation *hosting, echodb_invitation *joining) {
    echodb_buffer *code = NULL;
    int32_t state = 0;
    while (echodb_invitation_auth_code(hosting, &code, NULL) != ECHODB_OK) {
        OK(echodb_invitation_state(hosting, &state, &error));
        CHECK(state < ECHODB_INVITATION_SUCCESS);
        poll(NULL, 0, 10);
    }
    while (state != ECHODB_INVITATION_READY_FOR_AUTHENTICATION) {
        OK(echodb_invitation_state(joining, &state, &error));
        CHECK(state < ECHODB_INVITATION_SUCCESS);
        poll(NULL, 0, 10);
    }
    OK(echodb_invitation_authenticate(joining, echodb_buffer_data(code), echodb_buffer_len(code),
                                      &error));
    echodb_buffer_free(code);
}

/* Waits until the client lists a space. */
static void await_space(echodb_client *client, const char *id) {
    for (int i = 0;; i++) {
        echodb_buffer *buffer = NULL;
        OK(echodb_client_spaces(client, &buffer, &error));
        char *spaces = take(buffer);
        int found = strstr(spaces, id) != NULL;
        free(spaces);
        if (found) {
            return;
        }
        CHECK(i < 6000);
        poll(NULL, 0, 10);
    }
}

static void link_devices(echodb_client *laptop, echodb_client *phone) {
    echodb_invite_options *invite = NULL;
    echodb_join_options *join = NULL;
    echodb_invitation *hosting = NULL, *joining = NULL;
    echodb_buffer *code = NULL, *buffer = NULL;
    OK(echodb_invite_options_new(&invite, &error));
    OK(echodb_invite_options_set_expires_s(invite, 600, &error));
    OK(echodb_join_options_new(&join, &error));
    OK(echodb_join_options_set_timeout_s(join, 60, &error));
    OK(echodb_join_options_set_device_name(join, S("Phone"), &error));
    OK(echodb_client_create_device_invitation(laptop, invite, &hosting, &error));
    OK(echodb_invitation_url(hosting, &buffer, &error));
    CHECK(holds(buffer, "echodb://link/"));
    OK(echodb_invitation_code(hosting, &code, &error));
    /* A client with an identity refuses it, whatever it is used for. */
    FAILS_OUT(ECHODB_INVITATION_REFUSED, joining,
              echodb_client_join(laptop, echodb_buffer_data(code), echodb_buffer_len(code), NULL,
                                 &joining, &error));
    FAILS_OUT(ECHODB_INVALID_STATE, joining,
              echodb_client_join_device(laptop, echodb_buffer_data(code), echodb_buffer_len(code),
                                        NULL, &joining, &error));
    OK(echodb_client_join_device(phone, echodb_buffer_data(code), echodb_buffer_len(code), join,
                                 &joining, &error));
    enter(hosting, joining);
    OK(echodb_invitation_wait(joining, 60000, &buffer, &error));
    char *identity = take(buffer);
    OK(echodb_invitation_wait(hosting, 60000, &buffer, &error));
    CHECK(holds(buffer, identity));
    OK(echodb_client_identity(phone, &buffer, &error));
    CHECK(holds(buffer, identity));
    free(identity);
    echodb_buffer_free(code);
    echodb_invite_options_free(invite);
    echodb_join_options_free(join);
    echodb_invitation_free(hosting);
    echodb_invitation_free(joining);
}

/* An invitation is listed with the others, and ended by its name. */
static void list_and_cancel(echodb_client *laptop) {
    echodb_invitation *hosting = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_client_create_device_invitation(laptop, NULL, &hosting, &error));
    OK(echodb_invitation_id(hosting, &buffer, &error));
    char *id = take(buffer);
    OK(echodb_client_invitations(laptop, &buffer, &error));
    char *listed = take(buffer);
    CHECK(strstr(listed, id) != NULL);
    CHECK(strstr(listed, "\"kind\":\"device\"") != NULL);
    free(listed);
    OK(echodb_client_cancel_invitation(laptop, S(id), &error));
    CHECK(echodb_invitation_wait(hosting, 60000, &buffer, NULL) == ECHODB_CANCELLED);
    OK(echodb_client_invitations(laptop, &buffer, &error));
    CHECK(strcmp(echodb_buffer_data(buffer), "[]") == 0);
    echodb_buffer_free(buffer);
    CHECK(echodb_client_cancel_invitation(laptop, S(id), NULL) == ECHODB_NOT_FOUND);
    echodb_invitation_free(hosting);
    free(id);
}

/* Whether a list of devices says that one is revoked. */
static int is_revoked(const char *devices, const char *device) {
    const char *start = strstr(devices, device);
    CHECK(start != NULL);
    const char *revoked = strstr(start, "\"revoked\":");
    CHECK(revoked != NULL);
    return strncmp(revoked, "\"revoked\":true", strlen("\"revoked\":true")) == 0;
}

/* The client's own device key. */
static char *own_device(echodb_client *client) {
    echodb_buffer *buffer = NULL;
    OK(echodb_client_identity(client, &buffer, &error));
    char *identity = take(buffer);
    char *start = strstr(identity, "\"device\":\"");
    CHECK(start != NULL);
    start += strlen("\"device\":\"");
    size_t len = strcspn(start, "\"");
    memmove(identity, start, len);
    identity[len] = '\0';
    return identity;
}

/* Recovers the identity on one more client, which revokes the three devices of before. */
static void recover_and_revoke(echodb_client *last, const char *phrase,
                               const char *const older[3]) {
    echodb_recover_options *options = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_recover_options_new(&options, &error));
    OK(echodb_recover_options_set_timeout_s(options, 300, &error));
    OK(echodb_recover_options_set_revoke_older(options, true, &error));
    OK(echodb_client_recover_identity(last, S(phrase), options, &buffer, &error));
    CHECK(holds(buffer, "Ada L."));
    OK(echodb_client_devices(last, &buffer, &error));
    char *devices = take(buffer), *own = own_device(last);
    for (int i = 0; i < 3; i++) {
        CHECK(is_revoked(devices, older[i]));
    }
    CHECK(!is_revoked(devices, own));
    free(devices), free(own);
    echodb_recover_options_free(options);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    echodb_client *laptop = open_client(argv[1]), *phone = open_client(argv[1]);
    echodb_client *found = open_client(argv[1]), *last = open_client(argv[1]);
    echodb_buffer *buffer = NULL;
    echodb_space *space = NULL;
    echodb_subscription *changes = NULL;
    struct heard heard = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
    FAILS_OUT(ECHODB_INVALID_STATE, buffer, echodb_client_devices(laptop, &buffer, &error));
    OK(echodb_client_create_identity(laptop, S("Ada"), &buffer, &error));
    echodb_buffer_free(buffer);
    OK(echodb_client_subscribe_identity(laptop, on_change, &heard, on_change_destroy, &changes,
                                        &error));
    list_and_cancel(laptop);
    link_devices(laptop, phone);

    /* A space made on the phone comes to the laptop. */
    OK(echodb_client_create_space(phone, S("{\"name\": \"Trip\"}"), &space, &error));
    OK(echodb_space_id(space, &buffer, &error));
    char *id = take(buffer);
    await_space(laptop, id);
    while (!has_heard(&heard, ECHODB_IDENTITY_SPACES)) {
        poll(NULL, 0, 10);
    }
    OK(echodb_client_devices(laptop, &buffer, &error));
    CHECK(holds(buffer, "\"name\":\"Phone\""));
    char *device = own_device(phone), *elder = own_device(laptop);
    OK(echodb_client_rename_device(laptop, S(device), S("Old phone"), &error));
    OK(echodb_client_set_profile(laptop, S("Ada L."), &error));
    OK(echodb_client_identity(laptop, &buffer, &error));
    CHECK(holds(buffer, "Ada L."));
    FAILS(ECHODB_NOT_FOUND, echodb_client_rename_device(laptop, S(id), S("x"), &error));
    FAILS(ECHODB_ALREADY_EXISTS, echodb_client_restore_space(laptop, S(id), &error));
    FAILS(ECHODB_PERMISSION_DENIED, echodb_client_revoke_device(phone, S(elder), &error));
    OK(echodb_client_revoke_device(laptop, S(device), &error));
    OK(echodb_client_devices(laptop, &buffer, &error));
    CHECK(holds(buffer, "\"revoked\":true"));

    /* A phrase brings the identity to a third client. */
    echodb_recover_options *options = NULL;
    echodb_operation *operation = NULL;
    OK(echodb_recover_options_new(&options, &error));
    OK(echodb_recover_options_set_device_name(options, S("Found"), &error));
    OK(echodb_recover_options_set_timeout_s(options, 300, &error));
    OK(echodb_recover_options_set_revoke_older(options, false, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, buffer,
              echodb_client_recover_identity(found, S("no words"), options, &buffer, &error));
    OK(echodb_client_create_recovery_phrase(laptop, &buffer, &error));
    char *first = take(buffer);
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, buffer,
              echodb_client_replace_recovery_phrase(laptop, S("no words"), &buffer, &error));
    OK(echodb_client_replace_recovery_phrase(laptop, S(first), &buffer, &error));
    char *phrase = take(buffer);
    CHECK(strcmp(first, phrase) != 0);
    FAILS_OUT(ECHODB_PERMISSION_DENIED, buffer,
              echodb_client_replace_recovery_phrase(laptop, S(first), &buffer, &error));
    OK(echodb_client_recover_identity_start(found, S(phrase), options, &operation, &error));
    OK(echodb_operation_wait(operation, 300000, &error));
    OK(echodb_operation_take_text(operation, &buffer, &error));
    CHECK(holds(buffer, "Ada L."));
    await_space(found, id);
    FAILS_OUT(ECHODB_INVALID_STATE, buffer,
              echodb_client_recover_identity(found, S(phrase), options, &buffer, &error));

    char *former = own_device(found);
    const char *older[] = {device, elder, former};
    recover_and_revoke(last, phrase, older);

    free(id), free(device), free(elder), free(first), free(phrase);
    free(former);
    echodb_recover_options_free(options);
    echodb_operation_free(operation);
    echodb_subscription_free(changes);
    CHECK(heard.destroyed == 1);
    echodb_space_free(space);
    echodb_client *clients[] = {laptop, phone, found, last};
    for (size_t i = 0; i < 4; i++) {
        OK(echodb_client_shutdown(clients[i], &error));
        echodb_client_free(clients[i]);
    }
    CHECK(echodb_live_handles() == 0);
    return 0;
}
