// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "lib/doc.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tests/unit/unit.h"
