/* Live queries from C: with a callback, fetched from a queue, ended from within, misused. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <poll.h>
#include <time.h>

static echodb_space *space;

struct heard {
    int batches;
    int destroyed;
    int failing;
    char last[4096];
    echodb_live_query *own;
};

static int load(int *number) { return __atomic_load_n(number, __ATOMIC_SEQ_CST); }

static void wait_for(int *number, int least) {
    const struct timespec pause = {0, 1000000};
    for (int tries = 0; load(number) < least; ++tries) {
        CHECK(tries < 60000);
        nanosleep(&pause, NULL);
    }
}

static void on_destroy(void *data) {
    struct heard *heard = data;
    __atomic_add_fetch(&heard->destroyed, 1, __ATOMIC_SEQ_CST);
}

static echodb_status on_live(void *data, const char *json, size_t len) {
    struct heard *heard = data;
    CHECK(heard->destroyed == 0 && len > 0 && len < sizeof heard->last);
    memcpy(heard->last, json, len);
    heard->last[len] = '\0';
    echodb_status status = heard->failing-- > 0 ? ECHODB_CALLBACK : ECHODB_OK;
    __atomic_add_fetch(&heard->batches, 1, __ATOMIC_SEQ_CST);
    return status;
}

static echodb_status on_own(void *data, const char *json, size_t len) {
    struct heard *heard = data;
    (void)json, (void)len;
    heard->batches++;
    if (heard->batches == 2) {
        echodb_live_query_free(heard->own);
        CHECK(heard->destroyed == 0);
    }
    return ECHODB_OK;
}

static char *make(const char *type, const char *fields) {
    echodb_buffer *id = NULL;
    OK(echodb_space_create(space, S(type), S(fields), &id, &error));
    return take(id);
}

static void with_callback(void) {
    static struct heard heard;
    echodb_live_query *live = NULL;
    int32_t fd = 0;
    echodb_buffer *batch = NULL;
    char *one = make("A", "{\"n\": 1}");
    OK(echodb_space_live(space,
                         S("{\"where\": {\"type\": \"A\"}, \"order\": [{\"by\": \"n\"}]}"), 0,
                         on_live, &heard, on_destroy, &live, &error));
    wait_for(&heard.batches, 1);
    CHECK(strstr(heard.last, "\"initial\":true,\"total\":1,\"changes\":[{\"kind\":\"added\"") != NULL);
    CHECK(strstr(heard.last, one) != NULL && strstr(heard.last, "\"fields\":{\"n\":1}") != NULL);
    char *none = make("B", "{}");
    char *two = make("A", "{\"n\": 0}");
    wait_for(&heard.batches, 2);
    CHECK(strstr(heard.last, "\"initial\":false,\"total\":2") != NULL);
    CHECK(strstr(heard.last, two) != NULL && strstr(heard.last, "\"index\":0") != NULL);
    OK(echodb_space_update(space, S(two), S("{\"n\": 2}"), &error));
    wait_for(&heard.batches, 3);
    CHECK(strstr(heard.last, "\"kind\":\"moved\"") != NULL);
    CHECK(strstr(heard.last, "\"from\":0,\"index\":1") != NULL);
    heard.failing = 1;
    OK(echodb_space_delete(space, S(one), &error));
    wait_for(&heard.batches, 5);
    CHECK(strstr(heard.last, "\"initial\":true,\"total\":1") != NULL);
    FAILS(ECHODB_INVALID_STATE, echodb_live_query_fd(live, &fd, &error));
    FAILS_OUT(ECHODB_INVALID_STATE, batch, echodb_live_query_next(live, &batch, &error));
    echodb_live_query_cancel(live);
    CHECK(heard.destroyed == 1);
    echodb_live_query_cancel(live);
    echodb_live_query_free(live);
    CHECK(heard.destroyed == 1 && heard.batches == 5);
    free(one), free(two), free(none);
}

static void ended_from_within(void) {
    static struct heard heard;
    OK(echodb_space_live(space, S("{\"type\": \"C\"}"), 0, on_own, &heard, on_destroy, &heard.own,
                         &error));
    wait_for(&heard.batches, 1);
    free(make("C", "{}"));
    wait_for(&heard.destroyed, 1);
    CHECK(heard.batches == 2);
}

static void fetched(void) {
    echodb_live_query *live = NULL;
    echodb_buffer *batch = NULL;
    struct pollfd ready = {-1, POLLIN, 0};
    OK(echodb_space_live_queue(space, S("{\"type\": \"D\"}"), 0, &live, &error));
    OK(echodb_live_query_fd(live, &ready.fd, &error));
    CHECK(poll(&ready, 1, 60000) == 1);
    OK(echodb_live_query_next(live, &batch, &error));
    CHECK(holds(batch, "\"initial\":true,\"total\":0,\"changes\":[]"));
    CHECK(poll(&ready, 1, 0) == 0);
    OK(echodb_live_query_next(live, &batch, &error));
    CHECK(batch == NULL);
    char *ids[20];
    for (int i = 0; i < 20; ++i) {
        ids[i] = make("D", "{}");
    }
    CHECK(poll(&ready, 1, 60000) == 1);
    OK(echodb_live_query_next(live, &batch, &error));
    CHECK(holds(batch, "\"initial\":false,\"total\":20"));
    OK(echodb_space_delete(space, S(ids[3]), &error));
    CHECK(poll(&ready, 1, 60000) == 1);
    /* One ring may have been for what was fetched with the batch before. */
    do {
        OK(echodb_live_query_next(live, &batch, &error));
    } while (batch == NULL);
    CHECK(holds(batch, "\"changes\":[{\"kind\":\"removed\""));
    echodb_live_query_cancel(live);
    free(make("D", "{}"));
    OK(echodb_live_query_next(live, &batch, &error));
    CHECK(batch == NULL);
    echodb_live_query_free(live);
    for (int i = 0; i < 20; ++i) {
        free(ids[i]);
    }
}

static void misused(void) {
    struct heard heard = {0};
    echodb_live_query *live = NULL;
    echodb_buffer *batch = NULL;
    int32_t fd = 0;
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, live,
              echodb_space_live(NULL, S("{}"), 0, on_live, &heard, on_destroy, &live, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, live,
              echodb_space_live(space, NULL, 1, 0, on_live, &heard, on_destroy, &live, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, live,
              echodb_space_live(space, S("[]"), 0, on_live, &heard, on_destroy, &live, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, live,
              echodb_space_live(space, S("{}"), 60001, on_live, &heard, on_destroy, &live, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, live,
              echodb_space_live(space, S("{}"), 0, NULL, &heard, on_destroy, &live, &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_space_live(space, S("{}"), 0, on_live, &heard, on_destroy, NULL, &error));
    CHECK(heard.destroyed == 6 && heard.batches == 0);
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, live,
              echodb_space_live_queue(NULL, S("{}"), 0, &live, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, live,
              echodb_space_live_queue(space, S("{\"typ\": 1}"), 0, &live, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_space_live_queue(space, S("{}"), 0, NULL, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_live_query_fd(NULL, &fd, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, batch, echodb_live_query_next(NULL, &batch, &error));
    OK(echodb_space_live_queue(space, S("{}"), 0, &live, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_live_query_fd(live, NULL, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_live_query_next(live, NULL, &error));
    echodb_live_query_free(live);
    echodb_live_query_cancel(NULL);
    echodb_live_query_free(NULL);
}

int main(void) {
    echodb_client *client = lone_client("Ada");
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    with_callback();
    ended_from_within();
    fetched();
    misused();
    OK(echodb_client_shutdown(client, &error));
    echodb_space_free(space);
    echodb_client_free(client);
    CHECK(echodb_live_handles() == 0);
    return 0;
}
