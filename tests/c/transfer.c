/* Import and export from C. The argument is a directory for files, which is made. */
#include "support.h"

#include <sys/stat.h>

static echodb_client *client;
static echodb_space *space;
static char file[4096];

static const char *in(const char *directory, const char *name) {
    snprintf(file, sizeof file, "%s/%s", directory, name);
    return file;
}

static char *create(const char *type, const char *fields) {
    echodb_buffer *out = NULL;
    OK(echodb_space_create(space, S(type), S(fields), &out, &error));
    return take(out);
}

static void archives(const char *directory) {
    echodb_buffer *out = NULL;
    echodb_space *back = NULL;
    in(directory, "space.echo");
    OK(echodb_space_export_archive(space, S(file), &out, &error));
    char *info = take(out);
    OK(echodb_verify_archive(S(file), &out, &error));
    char *again = take(out);
    CHECK(strcmp(info, again) == 0 && strstr(info, "\"version\":1") != NULL);
    free(info), free(again);
    OK(echodb_client_import_archive(client, S(file), &back, &error));
    OK(echodb_space_id(back, &out, &error));
    echodb_buffer_free(out);
    echodb_space_free(back);

    echodb_client *stranger = lone_client("Eve");
    FAILS_OUT(ECHODB_PERMISSION_DENIED, back,
              echodb_client_import_archive(stranger, S(file), &back, &error));
    echodb_client_free(stranger);
    FAILS_OUT(ECHODB_NOT_FOUND, out, echodb_verify_archive(S("/nowhere/x"), &out, &error));
    FAILS_OUT(ECHODB_STORAGE, out,
              echodb_space_export_archive(space, S("/nowhere/x"), &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_export_archive(NULL, S(file), &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, back,
              echodb_client_import_archive(NULL, S(file), &back, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_verify_archive(S(file), NULL, &error));
}

static void json_lines(const char *directory) {
    uint64_t count = 0;
    in(directory, "all.jsonl");
    OK(echodb_space_export_json_file(space, S(file), &count, &error));
    CHECK(count > 0);
    uint64_t read = 0;
    OK(echodb_space_import_json_file(space, S(file), &read, &error));
    CHECK(read == count);
    FAILS(ECHODB_NOT_FOUND, echodb_space_import_json_file(space, S("/nowhere/x"), &read, &error));
    FAILS(ECHODB_INVALID_ARGUMENT,
          echodb_space_import_json_file(space, NULL, 0, &read, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_space_export_json_file(space, S(file), NULL, &error));
    FAILS(ECHODB_INVALID_ARGUMENT, echodb_space_export_json_file(space, NULL, 3, &read, &error));
    CHECK(read == count);
}

static void tables(const char *directory) {
    const char *data = "sku;price;note\nA;1;x\nB;two;y\n";
    const char *options = "{\"format\": \"csv\", \"type\": \"Item\", \"key\": \"sku\", "
                          "\"delimiter\": \";\", \"header\": true, \"on_error\": \"skip\", "
                          "\"other_columns\": \"infer\", \"columns\": [{\"name\": \"price\", "
                          "\"kind\": \"integer\"}, {\"name\": \"note\", \"field\": \"remark\", "
                          "\"kind\": \"text\"}]}";
    echodb_buffer *out = NULL;
    OK(echodb_space_import_data(space, S(data), S(options), &out, &error));
    char *report = take(out);
    CHECK(strstr(report, "\"created\":1") != NULL && strstr(report, "\"line\":3") != NULL);
    free(report);
    FILE *written = fopen(in(directory, "items.csv"), "wb");
    CHECK(written != NULL && fputs(data, written) >= 0 && fclose(written) == 0);
    OK(echodb_space_import_file(space, S(file), S(options), &out, &error));
    CHECK(holds(out, "\"unchanged\":1"));
    OK(echodb_space_import_data(space, S("[{\"a\": 1}]"), NULL, 0, &out, &error));
    CHECK(holds(out, "\"rows\":1"));
    const char *const bad[] = {"[]", "{", "{\"format\": \"xml\"}", "{\"nonsense\": 1}",
                               "{\"header\": 1}", "{\"columns\": [{\"kind\": \"x\"}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
                  echodb_space_import_data(space, S("[]"), S(bad[i]), &out, &error));
    }
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_import_data(space, S("nonsense"), NULL, 0, &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_import_data(space, NULL, 5, NULL, 0, &out, &error));
    FAILS_OUT(ECHODB_NOT_FOUND, out,
              echodb_space_import_file(space, S("/nowhere/x"), NULL, 0, &out, &error));
}

static void objects(void) {
    char *id = create("Note", "{\"title\": \"One\", \"text\": {\"@text\": \"hello\"}}");
    echodb_buffer *bytes = NULL;
    echodb_buffer *out = NULL;
    OK(echodb_space_export_object(space, S(id), &bytes, &error));
    const char *data = echodb_buffer_data(bytes);
    const size_t len = echodb_buffer_len(bytes);
    OK(echodb_space_import_object(space, data, len, NULL, 0, &out, &error));
    char *copy = take(out);
    CHECK(strcmp(copy, id) != 0);
    OK(echodb_space_get(space, S(copy), &out, &error));
    CHECK(holds(out, "\"title\":\"One\""));
    OK(echodb_space_import_object(space, data, len, S(copy), &out, &error));
    CHECK(holds(out, copy));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_import_object(space, data, len / 2, NULL, 0, &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_import_object(space, NULL, 0, NULL, 0, &out, &error));
    FAILS_OUT(ECHODB_INVALID_ARGUMENT, out,
              echodb_space_export_object(space, S("nonsense"), &out, &error));
    echodb_buffer_free(bytes);
    free(id), free(copy);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    CHECK(mkdir(argv[1], 0700) == 0);
    client = lone_client("Ada");
    OK(echodb_client_create_space(client, S("{}"), &space, &error));
    free(create("Note", "{\"n\": 1}"));
    tables(argv[1]);
    objects();
    json_lines(argv[1]);
    archives(argv[1]);
    echodb_space_free(space);
    echodb_client_free(client);
    CHECK(echodb_live_handles() == 0);
    return 0;
}
