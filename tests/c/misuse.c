/* Every call used wrongly: NULL, bytes that are not UTF-8, numbers out of range, impossible lengths.
 * Nothing may crash, leak, or write to an output. */
#include "support.h"

#define BAD ECHODB_INVALID_ARGUMENT

/* Two bytes that no UTF-8 text holds. */
#define NOT_UTF8 "a\xff", (size_t)2

static echodb_status ignore_change(void *data, const char *json, size_t len) {
    (void)data, (void)json, (void)len;
    return ECHODB_OK;
}

static echodb_status ignore_update(void *data, int32_t state, const char *json, size_t len) {
    (void)data, (void)state, (void)json, (void)len;
    return ECHODB_OK;
}

static void ignore_log(void *data, int32_t level, uint64_t time, const char *target, size_t a,
                       const char *text, size_t b) {
    (void)data, (void)level, (void)time, (void)target, (void)a, (void)text, (void)b;
}

static void ignore_end(void *data, echodb_status status, const char *name) {
    (void)data, (void)status, (void)name;
}

static void null_accessors(void) {
    CHECK(echodb_error_status(NULL) == ECHODB_OK);
    CHECK(echodb_error_message(NULL)[0] == '\0');
    CHECK(!echodb_error_retryable(NULL));
    CHECK(echodb_buffer_data(NULL)[0] == '\0');
    CHECK(echodb_buffer_len(NULL) == 0);
    CHECK(echodb_operation_is_done(NULL));
    CHECK(!echodb_has_feature(NULL, 0) && !echodb_has_feature(NULL, 3));
    CHECK(!echodb_has_feature(NOT_UTF8));
    echodb_operation_cancel(NULL);
    echodb_invitation_cancel(NULL);
    echodb_subscription_cancel(NULL);
    echodb_transaction_cancel(NULL);
    echodb_error_free(NULL);
    echodb_buffer_free(NULL);
    echodb_client_options_free(NULL);
    echodb_invite_options_free(NULL);
    echodb_join_options_free(NULL);
    echodb_client_free(NULL);
    echodb_space_free(NULL);
    echodb_transaction_free(NULL);
    echodb_subscription_free(NULL);
    echodb_invitation_free(NULL);
    echodb_operation_free(NULL);
}

static void options(void) {
    int destroyed = 0;
    echodb_client_options *o = NULL;
    echodb_invite_options *invite = NULL;
    echodb_join_options *join = NULL;
    FAILS(BAD, echodb_client_options_new(NULL, &error));
    FAILS(BAD, echodb_invite_options_new(NULL, &error));
    FAILS(BAD, echodb_join_options_new(NULL, &error));
    FAILS(BAD, echodb_client_options_set_profile(NULL, S("x"), &error));
    FAILS(BAD, echodb_client_options_add_signaling(NULL, S("x"), &error));
    FAILS(BAD, echodb_client_options_add_ice_server(NULL, S("x"), S(""), S(""), &error));
    FAILS(BAD, echodb_client_options_add_bind(NULL, S("x"), &error));
    FAILS(BAD, echodb_client_options_set_online(NULL, true, &error));
    FAILS(BAD, echodb_client_options_set_coalesce_ms(NULL, 1, &error));
    FAILS(BAD, echodb_invite_options_set_expires_s(NULL, 1, &error));
    FAILS(BAD, echodb_invite_options_set_include_signaling(NULL, true, &error));
    FAILS(BAD, echodb_invite_options_set_history(NULL, true, &error));
    FAILS(BAD, echodb_join_options_set_timeout_s(NULL, 1, &error));

    OK(echodb_client_options_new(&o, &error));
    OK(echodb_invite_options_new(&invite, &error));
    OK(echodb_join_options_new(&join, &error));
    OK(echodb_client_options_set_profile(o, NULL, 0, &error));
    FAILS(BAD, echodb_client_options_set_profile(o, NULL, 1, &error));
    FAILS(BAD, echodb_client_options_set_profile(o, "x", (size_t)-1, &error));
    FAILS(BAD, echodb_client_options_set_profile(o, NOT_UTF8, &error));
    FAILS(BAD, echodb_client_options_add_signaling(o, NOT_UTF8, &error));
    FAILS(BAD, echodb_client_options_add_ice_server(o, S("stun:x:1"), NOT_UTF8, S(""), &error));
    FAILS(BAD, echodb_client_options_add_bind(o, NULL, 9, &error));
    FAILS(BAD, echodb_client_options_set_log(o, 6, ignore_log, &destroyed, count_destroy, &error));
    FAILS(BAD, echodb_client_options_set_log(o, -1, ignore_log, &destroyed, count_destroy, &error));
    FAILS(BAD, echodb_client_options_set_log(o, 1, NULL, &destroyed, count_destroy, &error));
    FAILS(BAD, echodb_client_options_set_log(NULL, 1, ignore_log, &destroyed, count_destroy,
                                             &error));
    CHECK(destroyed == 4);
    OK(echodb_client_options_set_log(o, 1, ignore_log, &destroyed, count_destroy, &error));
    OK(echodb_client_options_set_log(o, 1, ignore_log, &destroyed, count_destroy, &error));
    CHECK(destroyed == 5);
    echodb_client_options_free(o);
    CHECK(destroyed == 6);
    echodb_invite_options_free(invite);
    echodb_join_options_free(join);
}

static void clients(echodb_client *c) {
    echodb_client *client = NULL;
    echodb_space *space = NULL;
    echodb_buffer *buffer = NULL;
    echodb_invitation *invitation = NULL;
    echodb_operation *operation = NULL;
    echodb_client_options *o = NULL;
    FAILS(BAD, echodb_client_open(NULL, NULL, &error));
    FAILS(BAD, echodb_client_open_start(NULL, NULL, &error));
    OK(echodb_client_options_new(&o, &error));
    OK(echodb_client_options_set_coalesce_ms(o, 4000000000u, &error));
    FAILS_OUT(BAD, client, echodb_client_open(o, &client, &error));
    echodb_client_options_free(o);
    FAILS_OUT(BAD, buffer, echodb_client_create_identity(NULL, S("x"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_client_create_identity(c, NOT_UTF8, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_client_create_identity(c, NULL, 0, &buffer, &error));
    FAILS(BAD, echodb_client_create_identity(c, S("x"), NULL, &error));
    FAILS_OUT(BAD, buffer, echodb_client_identity(NULL, &buffer, &error));
    FAILS(BAD, echodb_client_identity(c, NULL, &error));
    FAILS_OUT(BAD, space, echodb_client_create_space(NULL, S("{}"), &space, &error));
    FAILS_OUT(BAD, space, echodb_client_create_space(c, S("["), &space, &error));
    FAILS_OUT(BAD, space, echodb_client_create_space(c, NULL, 0, &space, &error));
    FAILS_OUT(BAD, buffer, echodb_client_spaces(NULL, &buffer, &error));
    FAILS_OUT(BAD, space, echodb_client_space(NULL, S("x"), &space, &error));
    FAILS_OUT(BAD, space, echodb_client_space(c, S("x"), &space, &error));
    FAILS_OUT(BAD, space, echodb_client_space(c, NOT_UTF8, &space, &error));
    FAILS_OUT(BAD, space, echodb_client_default_space(NULL, &space, &error));
    FAILS(BAD, echodb_client_delete_space(NULL, S("x"), &error));
    FAILS(BAD, echodb_client_delete_space(c, S("x"), &error));
    FAILS_OUT(BAD, invitation, echodb_client_join(NULL, S("x"), NULL, &invitation, &error));
    FAILS_OUT(BAD, invitation, echodb_client_join(c, NOT_UTF8, NULL, &invitation, &error));
    invitation = (void *)&sentinel;
    CHECK(echodb_client_join(c, S("no code"), NULL, &invitation, NULL) != ECHODB_OK);
    CHECK(invitation == NULL);
    FAILS(BAD, echodb_client_set_online(NULL, true, &error));
    FAILS_OUT(BAD, buffer, echodb_client_status(NULL, &buffer, &error));
    FAILS(BAD, echodb_client_shutdown(NULL, &error));
    FAILS_OUT(BAD, operation, echodb_client_shutdown_start(NULL, &operation, &error));
}

static void spaces(echodb_space *s) {
    bool history = false;
    echodb_buffer *buffer = NULL;
    echodb_operation *operation = NULL;
    echodb_transaction *tx = NULL;
    echodb_invitation *invitation = NULL;
    uint64_t count = 77;
    FAILS_OUT(BAD, buffer, echodb_space_id(NULL, &buffer, &error));
    FAILS(BAD, echodb_space_id(s, NULL, &error));
    FAILS_OUT(BAD, buffer, echodb_space_info(NULL, &buffer, &error));
    FAILS(BAD, echodb_space_open(NULL, &error));
    FAILS(BAD, echodb_space_close(NULL, &error));
    FAILS_OUT(BAD, buffer, echodb_space_properties(NULL, &buffer, &error));
    FAILS(BAD, echodb_space_set_properties(NULL, S("{}"), &error));
    FAILS(BAD, echodb_space_set_properties(s, S("3"), &error));
    FAILS(BAD, echodb_space_flush(NULL, &error));
    FAILS_OUT(BAD, operation, echodb_space_flush_start(NULL, &operation, &error));
    FAILS_OUT(BAD, buffer, echodb_space_digest(NULL, &buffer, &error));
    FAILS_OUT(BAD, invitation, echodb_space_invite(NULL, NULL, &invitation, &error));
    FAILS_OUT(BAD, buffer, echodb_space_members(NULL, &buffer, &error));
    FAILS(BAD, echodb_space_set_role(NULL, S("a"), S("editor"), &error));
    FAILS(BAD, echodb_space_set_role(s, NOT_UTF8, S("editor"), &error));
    FAILS(BAD, echodb_space_set_role(s, S("a"), S("editor"), &error));
    FAILS(BAD, echodb_space_remove_member(NULL, S("a"), &error));
    FAILS(BAD, echodb_space_remove_member(s, NULL, 3, &error));
    FAILS(BAD, echodb_space_leave(NULL, &error));
    FAILS(BAD, echodb_space_hand_over(NULL, S("a"), &error));
    FAILS(BAD, echodb_space_hand_over(s, NULL, 3, &error));
    FAILS(BAD, echodb_space_hand_over(s, NOT_UTF8, &error));
    FAILS(BAD, echodb_space_hand_over(s, S("a"), &error));
    FAILS(BAD, echodb_space_rotate_key(NULL, &error));
    FAILS(BAD, echodb_space_share_history(NULL, S("a"), &history, &error));
    FAILS(BAD, echodb_space_share_history(s, S("a"), &history, &error));
    FAILS(BAD, echodb_space_share_history(s, NOT_UTF8, &history, &error));
    FAILS(BAD, echodb_space_share_history(s, S("a"), NULL, &error));
    FAILS_OUT(BAD, buffer, echodb_space_why(NULL, S("a"), S("read"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_why(s, S("a"), S("read"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_why(s, NOT_UTF8, S("read"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_excluded(NULL, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_resubmit(NULL, S("a"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_resubmit(s, S("a"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_resubmit(s, NOT_UTF8, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_status(NULL, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_quarantined(NULL, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_export_json(NULL, &buffer, &error));
    FAILS(BAD, echodb_space_import_json(NULL, S("{}"), &count, &error));
    FAILS(BAD, echodb_space_import_json(s, NULL, 5, &count, &error));
    FAILS(BAD, echodb_space_import_json(s, S("no json"), &count, &error));
    FAILS(BAD, echodb_space_import_json(s, S("{}"), NULL, &error));
    CHECK(count == 77);
    FAILS_OUT(BAD, tx, echodb_space_transaction(NULL, &tx, &error));
}

static void objects(echodb_space *s) {
    echodb_buffer *buffer = NULL;
    const char *id = "01jd8mfcd0000000000000000z";
    FAILS_OUT(BAD, buffer, echodb_space_create(NULL, S("T"), S("{}"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_create(s, S(""), S("{}"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_create(s, NULL, 4, S("{}"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_create(s, S("T"), NOT_UTF8, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_create(s, S("T"), S("{\"@x\": 1}"), &buffer, &error));
    FAILS(BAD, echodb_space_update(NULL, S(id), S("{}"), &error));
    FAILS(BAD, echodb_space_update(s, S("short"), S("{}"), &error));
    FAILS(ECHODB_NOT_FOUND, echodb_space_update(s, S(id), S("{\"a\": 1}"), &error));
    FAILS(BAD, echodb_space_delete(NULL, S(id), &error));
    FAILS(BAD, echodb_space_delete(s, NOT_UTF8, &error));
    FAILS_OUT(BAD, buffer, echodb_space_get(NULL, S(id), &buffer, &error));
    FAILS_OUT(ECHODB_NOT_FOUND, buffer, echodb_space_get(s, S(id), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_query(NULL, S("{}"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_query(s, S("{"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_text(NULL, S(id), S("a"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_text(s, S(id), S(""), &buffer, &error));
    FAILS(BAD, echodb_space_splice_text(NULL, S(id), S("a"), 0, 0, S(""), &error));
    FAILS(BAD, echodb_space_splice_text(s, S(id), S("a"), 0, 0, NULL, 1, &error));
    FAILS_OUT(BAD, buffer, echodb_space_history(NULL, S(id), NULL, 0, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_history(s, S(id), S("{}"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_space_history(s, S(id), S("[\"x\"]"), &buffer, &error));
}

static void transactions(echodb_space *s) {
    echodb_buffer *buffer = NULL;
    echodb_transaction *tx = NULL;
    const char *id = "01jd8mfcd0000000000000000z";
    OK(echodb_space_transaction(s, &tx, &error));
    FAILS_OUT(BAD, buffer, echodb_transaction_create(NULL, NULL, 0, S("{}"), &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_transaction_create(tx, NULL, 0, S("0"), &buffer, &error));
    FAILS(BAD, echodb_transaction_create_with_id(NULL, S(id), NULL, 0, S("{}"), &error));
    FAILS(BAD, echodb_transaction_create_with_id(tx, S("x"), NULL, 0, S("{}"), &error));
    FAILS(BAD, echodb_transaction_update(NULL, S(id), S("{}"), &error));
    FAILS(BAD, echodb_transaction_update(tx, S(id), S("[]"), &error));
    FAILS(BAD, echodb_transaction_set(NULL, S(id), S("a"), S("1"), &error));
    FAILS(BAD, echodb_transaction_set(tx, S(id), S("@a"), S("1"), &error));
    FAILS(BAD, echodb_transaction_insert(NULL, S(id), S("/a/0"), S("1"), &error));
    FAILS(BAD, echodb_transaction_insert(tx, S(id), S("/a/0"), S("{"), &error));
    FAILS(BAD, echodb_transaction_remove(NULL, S(id), S("a"), &error));
    FAILS(BAD, echodb_transaction_remove(tx, S(id), NOT_UTF8, &error));
    FAILS(BAD, echodb_transaction_splice_text(NULL, S(id), S("a"), 0, 0, S(""), &error));
    FAILS(BAD, echodb_transaction_splice_text(tx, S(id), S("a"), 0, 0, NOT_UTF8, &error));
    FAILS(BAD, echodb_transaction_increment(NULL, S(id), S("a"), 1, &error));
    FAILS(BAD, echodb_transaction_increment(tx, S("?"), S("a"), 1, &error));
    FAILS(BAD, echodb_transaction_set_parent(NULL, S(id), NULL, 0, &error));
    FAILS(BAD, echodb_transaction_set_parent(tx, S(id), S("x"), &error));
    FAILS(BAD, echodb_transaction_delete(NULL, S(id), &error));
    FAILS(BAD, echodb_transaction_delete(tx, NULL, 26, &error));
    FAILS(BAD, echodb_transaction_restore(NULL, S(id), &error));
    FAILS(BAD, echodb_transaction_restore(tx, S(""), &error));
    FAILS(BAD, echodb_transaction_at(NULL, S("[]"), &error));
    FAILS(BAD, echodb_transaction_at(tx, S("[1]"), &error));
    FAILS(BAD, echodb_transaction_message(NULL, S("a"), &error));
    FAILS(BAD, echodb_transaction_message(tx, S(""), &error));
    FAILS_OUT(BAD, buffer, echodb_transaction_commit(NULL, &buffer, &error));
    FAILS(BAD, echodb_transaction_commit(tx, NULL, &error));
    /* The step fits no object: all or nothing. */
    OK(echodb_transaction_create(tx, NULL, 0, S("{}"), &buffer, &error));
    char *made = take(buffer);
    OK(echodb_transaction_delete(tx, S(id), &error));
    FAILS_OUT(ECHODB_NOT_FOUND, buffer, echodb_transaction_commit(tx, &buffer, &error));
    FAILS_OUT(ECHODB_NOT_FOUND, buffer, echodb_space_get(s, S(made), &buffer, &error));
    free(made);
    echodb_transaction_free(tx);
}

static void subscriptions(echodb_space *s) {
    int d = 0, fd = 77;
    echodb_subscription *sub = NULL;
    echodb_buffer *buffer = NULL;
    FAILS_OUT(BAD, sub, echodb_space_subscribe(NULL, S("{}"), ignore_change, &d, count_destroy,
                                               &sub, &error));
    FAILS_OUT(BAD, sub, echodb_space_subscribe(s, S("["), ignore_change, &d, count_destroy, &sub,
                                               &error));
    FAILS_OUT(BAD, sub, echodb_space_subscribe(s, NOT_UTF8, ignore_change, &d, count_destroy,
                                               &sub, &error));
    FAILS_OUT(BAD, sub,
              echodb_space_subscribe(s, S("{}"), NULL, &d, count_destroy, &sub, &error));
    FAILS(BAD,
          echodb_space_subscribe(s, S("{}"), ignore_change, &d, count_destroy, NULL, &error));
    CHECK(d == 5);
    FAILS_OUT(BAD, sub, echodb_invitation_subscribe(NULL, ignore_update, &d, count_destroy, &sub,
                                                    &error));
    CHECK(d == 6);
    FAILS_OUT(BAD, sub, echodb_space_subscribe_queue(NULL, S("{}"), &sub, &error));
    FAILS_OUT(BAD, sub, echodb_space_subscribe_queue(s, S("7"), &sub, &error));
    FAILS(BAD, echodb_subscription_fd(NULL, &fd, &error));
    FAILS_OUT(BAD, buffer, echodb_subscription_next(NULL, &buffer, &error));
    OK(echodb_space_subscribe_queue(s, S("{}"), &sub, &error));
    FAILS(BAD, echodb_subscription_fd(sub, NULL, &error));
    FAILS(BAD, echodb_subscription_next(sub, NULL, &error));
    echodb_subscription_cancel(sub);
    echodb_subscription_cancel(sub);
    OK(echodb_subscription_next(sub, &buffer, &error));
    CHECK(buffer == NULL && fd == 77);
    echodb_subscription_free(sub);
}

static void invitations(echodb_space *s) {
    int32_t state = 77;
    int destroyed = 0;
    echodb_buffer *buffer = NULL;
    echodb_subscription *sub = NULL;
    echodb_invitation *i = NULL;
    echodb_invite_options *o = NULL;
    FAILS_OUT(BAD, buffer, echodb_invitation_code(NULL, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_invitation_url(NULL, &buffer, &error));
    FAILS(BAD, echodb_invitation_state(NULL, &state, &error));
    FAILS_OUT(BAD, buffer, echodb_invitation_update(NULL, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_invitation_auth_code(NULL, &buffer, &error));
    FAILS(BAD, echodb_invitation_authenticate(NULL, S("123456"), &error));
    FAILS_OUT(BAD, buffer, echodb_invitation_wait(NULL, 0, &buffer, &error));
    echodb_operation *operation = NULL;
    FAILS_OUT(BAD, operation, echodb_invitation_wait_start(NULL, &operation, &error));
    FAILS_OUT(BAD, buffer, echodb_invitation_wait_change(NULL, 1, 0, &buffer, &error));
    OK(echodb_invite_options_new(&o, &error));
    OK(echodb_invite_options_set_expires_s(o, 0, &error));
    FAILS_OUT(BAD, i, echodb_space_invite(s, o, &i, &error));
    OK(echodb_invite_options_set_expires_s(o, 60, &error));
    OK(echodb_space_invite(s, o, &i, &error));
    echodb_invite_options_free(o);
    FAILS_OUT(BAD, buffer, echodb_invitation_wait_change(i, 0, 0, &buffer, &error));
    FAILS_OUT(BAD, buffer, echodb_invitation_wait_change(i, 11, 0, &buffer, &error));
    FAILS_OUT(ECHODB_TIMED_OUT, buffer, echodb_invitation_wait(i, 1, &buffer, &error));
    FAILS(BAD, echodb_invitation_authenticate(i, NOT_UTF8, &error));
    FAILS(BAD, echodb_invitation_state(i, NULL, &error));
    FAILS_OUT(BAD, sub, echodb_invitation_subscribe(i, NULL, &destroyed, count_destroy, &sub,
                                                    &error));
    CHECK(destroyed == 1 && state == 77);
    OK(echodb_invitation_wait_start(i, &operation, &error));
    FAILS(ECHODB_INVALID_STATE, echodb_operation_result(operation, &error));
    FAILS(ECHODB_TIMED_OUT, echodb_operation_wait(operation, 1, &error));
    FAILS_OUT(ECHODB_INVALID_STATE, buffer,
              echodb_operation_take_text(operation, &buffer, &error));
    OK(echodb_operation_on_complete(operation, ignore_end, &destroyed, count_destroy, &error));
    FAILS(ECHODB_INVALID_STATE,
          echodb_operation_on_complete(operation, ignore_end, &destroyed, count_destroy, &error));
    FAILS(BAD, echodb_operation_on_complete(operation, NULL, &destroyed, count_destroy, &error));
    CHECK(destroyed == 3);
    echodb_operation_cancel(operation);
    CHECK(destroyed == 4);
    FAILS(ECHODB_CANCELLED, echodb_operation_result(operation, &error));
    echodb_operation_free(operation);
    echodb_invitation_cancel(i);
    FAILS_OUT(ECHODB_CANCELLED, buffer, echodb_invitation_wait(i, 60000, &buffer, &error));
    echodb_invitation_free(i);
}

static void operations(void) {
    int destroyed = 0;
    echodb_client *client = NULL;
    echodb_buffer *buffer = NULL;
    FAILS(BAD, echodb_operation_wait(NULL, 0, &error));
    FAILS(BAD, echodb_operation_result(NULL, &error));
    FAILS_OUT(BAD, client, echodb_operation_take_client(NULL, &client, &error));
    FAILS_OUT(BAD, buffer, echodb_operation_take_text(NULL, &buffer, &error));
    FAILS(BAD, echodb_operation_on_complete(NULL, ignore_end, &destroyed, count_destroy, &error));
    CHECK(destroyed == 1);
}

int main(void) {
    null_accessors();
    options();
    echodb_client *client = lone_client("Misuse");
    /* Without a server nobody is reached, but an invitation can be open. */
    OK(echodb_client_set_online(client, true, &error));
    echodb_space *space = NULL;
    OK(echodb_client_default_space(client, &space, &error));
    clients(client);
    spaces(space);
    objects(space);
    transactions(space);
    subscriptions(space);
    invitations(space);
    operations();
    echodb_space_free(space);
    OK(echodb_client_shutdown(client, &error));
    echodb_client_free(client);
    CHECK(echodb_live_handles() == 0);
    return 0;
}
