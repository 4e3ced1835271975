// The code of nlohmann-json that every user of common/json.hpp shares.
#define ISO_JSON_ARCHIVE
#include "common/json.hpp"

ISO_JSON_TEMPLATES()
