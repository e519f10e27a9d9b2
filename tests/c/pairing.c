/* Two clients of one process meet through the signalling server at argv[1], pair by invitation and
 * hold the same objects. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <poll.h>
#include <pthread.h>

/* What the invitation callback of the guest has seen; the main thread waits for it. */
struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int32_t state;
    int destroyed;
};

static echodb_status on_update(void *data, int32_t state, const char *json, size_t len) {
    struct seen *seen = data;
    CHECK(json[0] == '{' && len > 2);
    pthread_mutex_lock(&seen->lock);
    seen->state = state;
    pthread_cond_broadcast(&seen->changed);
    pthread_mutex_unlock(&seen->lock);
    return ECHODB_OK;
}

static void on_update_destroy(void *data) { ((struct seen *)data)->destroyed++; }

static echodb_client *open_client(const char *name, const char *url) {
    echodb_client_options *options = NULL;
    echodb_client *client = NULL;
    echodb_buffer *identity = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_add_signaling(options, S(url), &error));
    OK(echodb_client_options_add_bind(options, S("127.0.0.1:0"), &error));
    OK(echodb_client_open(options, &client, &error));
    echodb_client_options_free(options);
    OK(echodb_client_create_identity(client, S(name), &identity, &error));
    echodb_buffer_free(identity);
    return client;
}

/* Waits until the host shows its code, and gives it. */
static char *host_code(echodb_invitation *hosting) {
    echodb_buffer *buffer = NULL;
    int32_t state = 0;
    while (echodb_invitation_auth_code(hosting, &buffer, NULL) != ECHODB_OK) {
        OK(echodb_invitation_state(hosting, &state, &error));
        CHECK(state < ECHODB_INVITATION_SUCCESS);
        if (state == ECHODB_INVITATION_READY_FOR_AUTHENTICATION) {
            continue;
        }
        OK(echodb_invitation_wait_change(hosting, state, 60000, &buffer, &error));
        echodb_buffer_free(buffer);
    }
    return take(buffer);
}

static echodb_space *pair(echodb_space *here, echodb_client *guest) {
    struct seen seen = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
    echodb_invitation *hosting = NULL, *joining = NULL;
    echodb_invite_options *invite = NULL;
    echodb_join_options *join = NULL;
    echodb_subscription *updates = NULL;
    echodb_operation *hosted = NULL;
    echodb_space *there = NULL;
    echodb_buffer *buffer = NULL, *url = NULL;
    OK(echodb_invite_options_new(&invite, &error));
    OK(echodb_invite_options_set_expires_s(invite, 600, &error));
    OK(echodb_invite_options_set_include_signaling(invite, true, &error));
    OK(echodb_join_options_new(&join, &error));
    OK(echodb_join_options_set_timeout_s(join, 60, &error));
    OK(echodb_space_invite(here, invite, &hosting, &error));
    OK(echodb_invitation_wait_start(hosting, &hosted, &error));
    OK(echodb_invitation_code(hosting, &buffer, &error));
    OK(echodb_invitation_url(hosting, &url, &error));
    CHECK(holds(url, "echodb://join/"));
    OK(echodb_client_join(guest, echodb_buffer_data(buffer), echodb_buffer_len(buffer), join,
                          &joining, &error));
    echodb_buffer_free(buffer);
    OK(echodb_invitation_subscribe(joining, on_update, &seen, on_update_destroy, &updates,
                                   &error));
    pthread_mutex_lock(&seen.lock);
    while (seen.state < ECHODB_INVITATION_READY_FOR_AUTHENTICATION) {
        pthread_cond_wait(&seen.changed, &seen.lock);
    }
    CHECK(seen.state == ECHODB_INVITATION_READY_FOR_AUTHENTICATION);
    pthread_mutex_unlock(&seen.lock);
    char *code = host_code(hosting);
    CHECK(strlen(code) == 6);
    OK(echodb_invitation_authenticate(joining, S(code), &error));
    OK(echodb_invitation_wait(joining, 60000, &buffer, &error));
    char *space = take(buffer);
    OK(echodb_invitation_update(joining, &buffer, &error));
    CHECK(holds(buffer, "\"state\":\"success\""));
    echodb_subscription_free(updates);
    CHECK(seen.destroyed == 1);

    OK(echodb_operation_wait(hosted, 60000, &error));
    OK(echodb_operation_take_text(hosted, &buffer, &error));
    CHECK(holds(buffer, space));
    OK(echodb_client_space(guest, S(space), &there, &error));
    free(code), free(space);
    echodb_operation_free(hosted);
    echodb_invitation_free(hosting);
    echodb_invitation_free(joining);
    echodb_invite_options_free(invite);
    echodb_join_options_free(join);
    return there;
}

/* Invitations for several guests and through any member: options, list, pictures, ending. */
static void several(echodb_client *ada, echodb_space *here) {
    echodb_invite_options *invite = NULL;
    echodb_invitation *hosting = NULL, *again = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_invite_options_new(&invite, &error));
    OK(echodb_invite_options_set_max_uses(invite, 3, &error));
    OK(echodb_invite_options_set_role(invite, S("reader"), &error));
    OK(echodb_invite_options_set_history(invite, false, &error));
    OK(echodb_space_invite(here, invite, &hosting, &error));
    OK(echodb_invitation_id(hosting, &buffer, &error));
    char *id = take(buffer);
    CHECK(strlen(id) == 32);
    OK(echodb_client_invitations(ada, &buffer, &error));
    char *listed = take(buffer);
    CHECK(strstr(listed, id) != NULL);
    CHECK(strstr(listed, "\"invitation_type\":\"multi_use\"") != NULL);
    CHECK(strstr(listed, "\"role\":\"reader\"") != NULL);
    CHECK(strstr(listed, "\"max_uses\":3") != NULL);
    free(listed);
    OK(echodb_invitation_qr_svg(hosting, &buffer, &error));
    CHECK(holds(buffer, "<svg"));
    OK(echodb_invitation_qr_modules(hosting, &buffer, &error));
    size_t side = 0, modules = echodb_buffer_len(buffer);
    while (side * side < modules) {
        side++;
    }
    CHECK(side >= 21 && side * side == modules);
    CHECK(echodb_buffer_data(buffer)[0] == 1);
    echodb_buffer_free(buffer);
    OK(echodb_client_invitation(ada, S(id), &again, &error));
    OK(echodb_client_cancel_invitation(ada, S(id), &error));
    CHECK(echodb_invitation_wait(again, 60000, &buffer, NULL) == ECHODB_CANCELLED);
    OK(echodb_client_invitations(ada, &buffer, &error));
    CHECK(strcmp(echodb_buffer_data(buffer), "[]") == 0);
    echodb_buffer_free(buffer);
    CHECK(echodb_client_cancel_invitation(ada, S(id), NULL) == ECHODB_NOT_FOUND);
    CHECK(echodb_client_cancel_invitation(ada, S("x"), NULL) == ECHODB_INVALID_ARGUMENT);
    echodb_invitation_free(hosting);
    OK(echodb_invite_options_set_role(invite, S("boss"), &error));
    CHECK(echodb_space_invite(here, invite, &hosting, NULL) == ECHODB_INVALID_ARGUMENT);
    OK(echodb_invite_options_set_role(invite, S("admin"), &error));
    OK(echodb_invite_options_set_delegated(invite, true, &error));
    CHECK(echodb_space_invite(here, invite, &hosting, NULL) == ECHODB_INVALID_ARGUMENT);
    echodb_invitation_free(again);
    echodb_invite_options_free(invite);
    free(id);
}

/* Waits, on the descriptor as a loop would, for a remote change of an object. */
static void await_remote(echodb_subscription *queue, const char *id) {
    struct pollfd ready = {-1, POLLIN, 0};
    OK(echodb_subscription_fd(queue, &ready.fd, &error));
    for (int found = 0; !found;) {
        echodb_buffer *buffer = NULL;
        CHECK(poll(&ready, 1, 60000) == 1);
        OK(echodb_subscription_next(queue, &buffer, &error));
        CHECK(buffer != NULL);
        char *batch = take(buffer);
        found = strstr(batch, id) != NULL && strstr(batch, "\"origin\":\"remote\"") != NULL;
        free(batch);
    }
}

static void converge(echodb_space *here, echodb_space *there) {
    for (int i = 0;; i++) {
        echodb_buffer *a = NULL, *b = NULL;
        OK(echodb_space_digest(here, &a, &error));
        OK(echodb_space_digest(there, &b, &error));
        int same = strcmp(echodb_buffer_data(a), echodb_buffer_data(b)) == 0;
        echodb_buffer_free(a);
        echodb_buffer_free(b);
        if (same) {
            return;
        }
        CHECK(i < 6000);
        poll(NULL, 0, 10);
    }
}

static echodb_status heard(void *data, const char *json, size_t len) {
    /* Not terminated by NUL. */
    char text[4096];
    CHECK(len < sizeof text);
    memcpy(text, json, len);
    text[len] = '\0';
    if (strstr(text, "\"kind\":\"removed\"") != NULL && strstr(text, "removed by Ada") != NULL) {
        __atomic_store_n((int *)data, 1, __ATOMIC_SEQ_CST);
    }
    return ECHODB_OK;
}

/* The host makes the guest a reader, and then removes it. */
static void part(echodb_space *here, echodb_space *there, echodb_client *bob) {
    echodb_buffer *buffer = NULL;
    echodb_subscription *members = NULL;
    int removed = 0;
    OK(echodb_client_identity(bob, &buffer, &error));
    char *identity = take(buffer);
    char *key = strstr(identity, "\"identity\":\"") + strlen("\"identity\":\"");
    *strchr(key, '"') = '\0';
    OK(echodb_space_subscribe_members(there, heard, &removed, NULL, &members, &error));
    FAILS(ECHODB_PERMISSION_DENIED, echodb_space_leave(here, &error));
    OK(echodb_space_rotate_key(here, &error));
    bool shared = true;
    OK(echodb_space_share_history(here, S(key), &shared, &error));
    CHECK(!shared);
    FAILS(ECHODB_PERMISSION_DENIED, echodb_space_share_history(there, S(key), &shared, &error));
    OK(echodb_space_status(there, &buffer, &error));
    CHECK(holds(buffer, "\"sealed_off\":0"));
    FAILS(ECHODB_PERMISSION_DENIED, echodb_space_set_role(there, S(key), S("owner"), &error));
    OK(echodb_space_set_role(here, S(key), S("reader"), &error));
    OK(echodb_space_members(here, &buffer, &error));
    CHECK(holds(buffer, "\"role\":\"reader\""));
    OK(echodb_space_remove_member(here, S(key), &error));
    for (int i = 0; !__atomic_load_n(&removed, __ATOMIC_SEQ_CST); i++) {
        CHECK(i < 6000);
        poll(NULL, 0, 10);
    }
    OK(echodb_space_status(there, &buffer, &error));
    CHECK(holds(buffer, "\"removed\":true"));
    FAILS_OUT(ECHODB_PERMISSION_DENIED, buffer,
              echodb_space_create(there, NULL, 0, S("{}"), &buffer, &error));
    echodb_subscription_free(members);
    FAILS(ECHODB_NOT_FOUND, echodb_space_hand_over(here, S(key), &error));
    /* Back again, and the owner of it all. */
    OK(echodb_space_set_role(here, S(key), S("editor"), &error));
    FAILS(ECHODB_PERMISSION_DENIED, echodb_space_hand_over(there, S(key), &error));
    OK(echodb_space_hand_over(here, S(key), &error));
    FAILS(ECHODB_PERMISSION_DENIED, echodb_space_hand_over(here, S(key), &error));
    OK(echodb_space_leave(here, &error));
    free(identity);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    echodb_client *ada = open_client("Ada", argv[1]), *bob = open_client("Bob", argv[1]);
    echodb_space *here = NULL;
    echodb_subscription *queue = NULL;
    echodb_buffer *buffer = NULL;
    OK(echodb_client_create_space(ada, S("{\"name\": \"Shared\"}"), &here, &error));
    echodb_space *there = pair(here, bob);

    OK(echodb_space_subscribe_queue(there, S("{}"), &queue, &error));
    OK(echodb_space_create(here, S("Note"), S("{\"title\": \"hello\"}"), &buffer, &error));
    char *id = take(buffer);
    await_remote(queue, id);
    OK(echodb_space_get(there, S(id), &buffer, &error));
    CHECK(holds(buffer, "hello"));
    OK(echodb_space_update(there, S(id), S("{\"title\": \"and back\"}"), &error));
    converge(here, there);
    OK(echodb_space_get(here, S(id), &buffer, &error));
    CHECK(holds(buffer, "and back"));
    OK(echodb_space_members(here, &buffer, &error));
    CHECK(holds(buffer, "Bob"));
    OK(echodb_client_contacts(ada, &buffer, &error));
    CHECK(holds(buffer, "\"space_name\":\"Shared\""));
    OK(echodb_client_status(bob, &buffer, &error));
    CHECK(holds(buffer, "\"connected\":true"));
    several(ada, here);
    part(here, there, bob);

    free(id);
    echodb_subscription_free(queue);
    echodb_space_free(here);
    echodb_space_free(there);
    OK(echodb_client_shutdown(ada, &error));
    OK(echodb_client_shutdown(bob, &error));
    echodb_client_free(ada);
    echodb_client_free(bob);
    CHECK(echodb_live_handles() == 0);
    return 0;
}
