/* A peer of the conformance test, in C; those beside it do the same in others. Commands come on standard
 * input, words on a line, and each is answered by a line of JSON on standard output. A call of the
 * library that fails ends the program, except where the comment says that it may. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <poll.h>

/* Longer than any wait that goes well, on a slow machine too. */
#define PATIENCE_MS 120000

/* Between two edits, as if by someone who types fast: time for the other side's to come in. */
#define PAUSE_MS 3

#define MAX_WORDS 5

/* What is typed: characters of one to four bytes, some of which belong to their neighbours. */
static const char *const PIECES[] = {
    "a",
    "word ",
    "\xc3\xa9",                                                  /* e with acute, one code point */
    "e\xcc\x81",                                                 /* the same in two */
    "\xcc\x88",                                                  /* a diaeresis by itself */
    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",                          /* Hebrew, right to left */
    "\xd9\x85\xd9\x8e\xd8\xb1\xd9\x92",                          /* Arabic with vowel marks */
    "\xe0\xa4\xa8\xe0\xa4\xbf",                                  /* Devanagari, vowel before */
    "\xe6\xbc\xa2",                                              /* Chinese */
    "\xf0\x9f\x98\x80",                                          /* a smile */
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",              /* a family: two joined to one */
    "\xf0\x9f\x87\xaa\xf0\x9f\x87\xba",                          /* a flag: two letters */
    "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd",                          /* a thumb with a skin tone */
};

struct peer {
    char *name;
    echodb_client *client;
    echodb_space *space;
    echodb_invitation *invitation;
    int done;
};

/* Answers with one key, whose value is JSON already; frees the buffer. */
static void say_json(const char *key, echodb_buffer *json) {
    printf("{\"%s\": %s}\n", key, echodb_buffer_data(json));
    echodb_buffer_free(json);
}

/* Prints a string as JSON. */
static void print_string(const char *text) {
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            printf("\\%c", *text);
        } else if ((unsigned char)*text < 0x20) {
            printf("\\u%04x", (unsigned)*text);
        } else {
            putchar(*text);
        }
    }
    putchar('"');
}

/* Answers with one key and a string; frees the buffer. */
static void say_text(const char *key, echodb_buffer *text) {
    printf("{\"%s\": ", key);
    print_string(echodb_buffer_data(text));
    printf("}\n");
    echodb_buffer_free(text);
}

static void say_done(void) { printf("{\"done\": true}\n"); }

/* open PROFILE URL NAME: makes an identity if the profile has none. */
static void do_open(struct peer *peer, char **words) {
    echodb_client_options *options = NULL;
    echodb_buffer *identity = NULL;
    OK(echodb_client_options_new(&options, &error));
    OK(echodb_client_options_set_profile(options, S(words[1]), &error));
    OK(echodb_client_options_add_signaling(options, S(words[2]), &error));
    OK(echodb_client_options_add_bind(options, S("127.0.0.1:0"), &error));
    OK(echodb_client_open(options, &peer->client, &error));
    echodb_client_options_free(options);
    peer->name = strdup(words[3]);
    CHECK(peer->name != NULL);
    if (echodb_client_identity(peer->client, &identity, NULL) != ECHODB_OK) {
        OK(echodb_client_create_identity(peer->client, S(peer->name), &identity, &error));
    }
    say_json("identity", identity);
}

static void do_identity(struct peer *peer, char **words) {
    echodb_buffer *identity = NULL;
    (void)words;
    OK(echodb_client_identity(peer->client, &identity, &error));
    say_json("identity", identity);
}

static void say_space(struct peer *peer) {
    echodb_buffer *id = NULL;
    OK(echodb_space_id(peer->space, &id, &error));
    say_text("space", id);
}

static void do_create_space(struct peer *peer, char **words) {
    (void)words;
    OK(echodb_client_create_space(peer->client, S("{\"name\": \"Shared\"}"), &peer->space,
                                  &error));
    say_space(peer);
}

/* use SPACE: the commands that follow mean a space which the profile holds. */
static void do_use(struct peer *peer, char **words) {
    OK(echodb_client_space(peer->client, S(words[1]), &peer->space, &error));
    say_space(peer);
}

static void do_invite(struct peer *peer, char **words) {
    echodb_buffer *code = NULL;
    (void)words;
    OK(echodb_space_invite(peer->space, NULL, &peer->invitation, &error));
    OK(echodb_invitation_code(peer->invitation, &code, &error));
    say_text("code", code);
}

/* Waits until the invitation is in a state; any final one instead fails. */
static void await_state(struct peer *peer, int32_t wanted) {
    echodb_buffer *update = NULL;
    int32_t state = 0;
    OK(echodb_invitation_state(peer->invitation, &state, &error));
    while (state != wanted) {
        CHECK(state < ECHODB_INVITATION_SUCCESS);
        OK(echodb_invitation_wait_change(peer->invitation, state, PATIENCE_MS, &update, &error));
        echodb_buffer_free(update);
        OK(echodb_invitation_state(peer->invitation, &state, &error));
    }
}

/* auth_code: waits for the guest, and shows what it is to enter. */
static void do_auth_code(struct peer *peer, char **words) {
    echodb_buffer *code = NULL;
    (void)words;
    await_state(peer, ECHODB_INVITATION_READY_FOR_AUTHENTICATION);
    /* The state may be seen a moment before the code. */
    while (echodb_invitation_auth_code(peer->invitation, &code, NULL) != ECHODB_OK) {
        poll(NULL, 0, 1);
    }
    say_text("auth_code", code);
}

/* join CODE: waits until the host asks for its authorization code. */
static void do_join(struct peer *peer, char **words) {
    OK(echodb_client_join(peer->client, S(words[1]), NULL, &peer->invitation, &error));
    await_state(peer, ECHODB_INVITATION_READY_FOR_AUTHENTICATION);
    say_done();
}

/* joined: waits for the end of the invitation, on either side. */
static void do_joined(struct peer *peer, char **words) {
    echodb_buffer *space = NULL;
    (void)words;
    OK(echodb_invitation_wait(peer->invitation, PATIENCE_MS, &space, &error));
    echodb_invitation_free(peer->invitation);
    peer->invitation = NULL;
    say_text("space", space);
}

/* auth DIGITS: enters the host's authorization code; `joined` tells what came of it. */
static void do_auth(struct peer *peer, char **words) {
    OK(echodb_invitation_authenticate(peer->invitation, S(words[1]), &error));
    say_done();
}

/* create N: as many objects, a transaction each. */
static void do_create(struct peer *peer, char **words) {
    int objects = atoi(words[1]);
    for (int i = 0; i < objects; i++) {
        echodb_buffer *id = NULL;
        char fields[256];
        snprintf(fields, sizeof fields,
                 "{\"by\": \"%s\", \"n\": %d, \"half\": %d.5, \"even\": %s, \"note\": \"%s\"}",
                 peer->name, i, i, i % 2 == 0 ? "true" : "false",
                 PIECES[(size_t)i % (sizeof PIECES / sizeof *PIECES)]);
        OK(echodb_space_create(peer->space, S("Item"), S(fields), &id, &error));
        echodb_buffer_free(id);
    }
    printf("{\"created\": %d}\n", objects);
}

/* hammer N: as many transactions of ten objects, told of one by one; meant to be killed. */
static void do_hammer(struct peer *peer, char **words) {
    int batches = atoi(words[1]);
    for (int batch = 0; batch < batches; batch++) {
        echodb_transaction *transaction = NULL;
        echodb_buffer *committed = NULL;
        OK(echodb_space_transaction(peer->space, &transaction, &error));
        for (int n = 0; n < 10; n++) {
            echodb_buffer *id = NULL;
            char fields[64];
            snprintf(fields, sizeof fields, "{\"batch\": %d, \"n\": %d}", batch, n);
            OK(echodb_transaction_create(transaction, S("Burst"), S(fields), &id, &error));
            echodb_buffer_free(id);
        }
        OK(echodb_transaction_commit(transaction, &committed, &error));
        echodb_buffer_free(committed);
        echodb_transaction_free(transaction);
        printf("{\"committed\": %d}\n", batch + 1);
        fflush(stdout);
    }
}

/* create_text: an object whose field `body` is a text. */
static void do_create_text(struct peer *peer, char **words) {
    static const char fields[] = "{\"body\": {\"@text\": \"Begin: \xd7\x90 \xf0\x9f\x98\x80\"}}";
    echodb_buffer *id = NULL;
    (void)words;
    OK(echodb_space_create(peer->space, S("Note"), S(fields), &id, &error));
    say_text("id", id);
}

static char *read_text(struct peer *peer, const char *id) {
    echodb_buffer *text = NULL;
    OK(echodb_space_text(peer->space, S(id), S("body"), &text, &error));
    return take(text);
}

/* The edit; false if it does not fit the text, which the other side may just have changed. */
static int splice(struct peer *peer, const char *id, size_t position, size_t length,
                  const char *piece) {
    echodb_error *error = NULL;
    echodb_status status = echodb_space_splice_text(peer->space, S(id), S("body"), position,
                                                    length, S(piece), &error);
    if (status == ECHODB_INVALID_ARGUMENT) {
        echodb_error_free(error);
        return 0;
    }
    OK(status);
    return 1;
}

/* What a text is after an edit, if nobody else edits it. */
static char *edited(const char *text, size_t position, size_t length, const char *piece) {
    size_t rest = strlen(text + position + length), inserted = strlen(piece);
    char *after = malloc(position + inserted + rest + 1);
    CHECK(after != NULL);
    memcpy(after, text, position);
    memcpy(after + position, piece, inserted);
    memcpy(after + position + inserted, text + position + length, rest + 1);
    return after;
}

/* Numbers that look random and are the same in every run. */
static uint32_t draw(uint32_t *seed, size_t below) {
    *seed = *seed * 1664525U + 1013904223U;
    return (uint32_t)((*seed >> 8) % below);
}

/* Whether the byte continues a character. */
static int continues(char byte) { return ((unsigned char)byte & 0xc0U) == 0x80U; }

/* type ID N SEED: as many edits in random places, counted in bytes. Answers how often the text had
 * changed in between by the other side's doing, and how many edits did not fit for that reason. */
static void do_type(struct peer *peer, char **words) {
    const char *id = words[1];
    int wanted = atoi(words[2]), typed = 0, interrupted = 0, refused = 0;
    uint32_t seed = (uint32_t)atoi(words[3]);
    char *expected = NULL;
    while (typed < wanted) {
        char *text = read_text(peer, id);
        const char *piece = PIECES[draw(&seed, sizeof PIECES / sizeof *PIECES)];
        size_t position = draw(&seed, strlen(text) + 1), length = 0;
        interrupted += expected != NULL && strcmp(text, expected) != 0;
        free(expected);
        expected = NULL;
        while (continues(text[position])) {
            position--;
        }
        if (draw(&seed, 4) == 0 && text[position] != '\0') {
            for (length = 1; continues(text[position + length]); length++) {
            }
        }
        if (splice(peer, id, position, length, piece)) {
            expected = edited(text, position, length, piece);
            typed++;
        } else {
            refused++;
            CHECK(refused < wanted * 10);
        }
        free(text);
        poll(NULL, 0, PAUSE_MS);
    }
    free(expected);
    printf("{\"typed\": %d, \"interrupted\": %d, \"refused\": %d}\n", typed, interrupted, refused);
}

/* splice ID POSITION LENGTH [TEXT]: one edit, counted in bytes, that has to fit. */
static void do_splice(struct peer *peer, char **words) {
    const char *piece = words[4] == NULL ? "" : words[4];
    CHECK(splice(peer, words[1], (size_t)atol(words[2]), (size_t)atol(words[3]), piece));
    say_done();
}

/* text ID: the text, and its length in the units of positions. */
static void do_text(struct peer *peer, char **words) {
    char *text = read_text(peer, words[1]);
    printf("{\"length\": %lu, \"text\": ", (unsigned long)strlen(text));
    print_string(text);
    printf("}\n");
    free(text);
}

static void do_digest(struct peer *peer, char **words) {
    echodb_buffer *digest = NULL;
    (void)words;
    OK(echodb_space_digest(peer->space, &digest, &error));
    say_text("digest", digest);
}

static void do_status(struct peer *peer, char **words) {
    echodb_buffer *status = NULL;
    (void)words;
    OK(echodb_space_status(peer->space, &status, &error));
    say_json("status", status);
}

static void do_members(struct peer *peer, char **words) {
    echodb_buffer *members = NULL;
    (void)words;
    OK(echodb_space_members(peer->space, &members, &error));
    say_json("members", members);
}

static void do_export(struct peer *peer, char **words) {
    echodb_buffer *lines = NULL;
    (void)words;
    OK(echodb_space_export_json(peer->space, &lines, &error));
    say_text("export", lines);
}

static void do_online(struct peer *peer, char **words) {
    OK(echodb_client_set_online(peer->client, strcmp(words[0], "online") == 0, &error));
    say_done();
}

/* quit: everything is closed and freed. */
static void do_quit(struct peer *peer, char **words) {
    (void)words;
    OK(echodb_client_shutdown(peer->client, &error));
    echodb_invitation_free(peer->invitation);
    echodb_space_free(peer->space);
    echodb_client_free(peer->client);
    free(peer->name);
    CHECK(echodb_live_handles() == 0);
    peer->done = 1;
    say_done();
}

struct command {
    const char *name;
    int arguments;
    void (*run)(struct peer *peer, char **words);
};

static const struct command COMMANDS[] = {
    {"open", 3, do_open},
    {"identity", 0, do_identity},
    {"create_space", 0, do_create_space},
    {"use", 1, do_use},
    {"invite", 0, do_invite},
    {"auth_code", 0, do_auth_code},
    {"join", 1, do_join},
    {"auth", 1, do_auth},
    {"joined", 0, do_joined},
    {"create", 1, do_create},
    {"create_text", 0, do_create_text},
    {"hammer", 1, do_hammer},
    {"type", 3, do_type},
    {"splice", 3, do_splice},
    {"text", 1, do_text},
    {"digest", 0, do_digest},
    {"status", 0, do_status},
    {"members", 0, do_members},
    {"export", 0, do_export},
    {"online", 0, do_online},
    {"offline", 0, do_online},
    {"quit", 0, do_quit},
};

/* Runs the command on a line. */
static void run_line(struct peer *peer, char *line) {
    char *words[MAX_WORDS] = {NULL};
    int count = 0;
    for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n")) {
        CHECK(count < MAX_WORDS);
        words[count++] = word;
    }
    CHECK(count > 0);
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        if (strcmp(words[0], COMMANDS[i].name) == 0) {
            CHECK(count > COMMANDS[i].arguments);
            COMMANDS[i].run(peer, words);
            return;
        }
    }
    fprintf(stderr, "no command %s\n", words[0]);
    exit(1);
}

int main(void) {
    struct peer peer = {NULL, NULL, NULL, NULL, 0};
    char line[8192];
    while (!peer.done && fgets(line, sizeof line, stdin) != NULL) {
        run_line(&peer, line);
        fflush(stdout);
    }
    return peer.done ? 0 : 1;
}
