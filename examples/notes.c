/* Makes a note in a database in memory and finds it again. */
/* README-BEGIN */
#include <echodb.h>
#include <stdio.h>
#include <string.h>

#define S(text) (text), strlen(text) /* strings are pointer and length */

int main(void) {
    echodb_client *client = NULL;
    echodb_space *space = NULL;
    echodb_buffer *id = NULL, *identity = NULL, *notes = NULL;
    echodb_error *error = NULL;
    if (echodb_client_open(NULL, &client, &error) ||
        echodb_client_create_identity(client, S("Ada"), &identity, &error) ||
        echodb_client_create_space(client, S("{\"name\": \"Notes\"}"), &space, &error) ||
        echodb_space_create(space, S("Note"), S("{\"title\": \"Hello\"}"), &id, &error) ||
        echodb_space_query(space, S("{\"type\": \"Note\"}"), &notes, &error))
        fprintf(stderr, "%s\n", echodb_error_message(error));
    else
        printf("%s\n", echodb_buffer_data(notes));
    int status = echodb_error_status(error);
    echodb_error_free(error);
    echodb_buffer_free(notes), echodb_buffer_free(id), echodb_buffer_free(identity);
    echodb_space_free(space);
    echodb_client_free(client); /* freeing NULL is fine */
    return status;
}
/* README-END */
