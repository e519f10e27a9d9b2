/* The header needs no other, says so twice, and leaves nothing to be defined. */
#include "echodb.h"
#include "echodb.h"

int header_alone(void);

int header_alone(void) { return ECHODB_OK; }
