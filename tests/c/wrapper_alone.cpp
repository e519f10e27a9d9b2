// The wrapper can be part of several object files of one program.
#include "echodb.hpp"
#include "echodb.hpp"

std::string wrapper_alone() { return echodb::version(); }
