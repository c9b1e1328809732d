// SPDX-License-Identifier: Apache-2.0
/* Debian packages: where they come from, which ones, and how they get into a directory. */
#ifndef VH_PACKAGES_H
#define VH_PACKAGES_H

#include "images/packages/archive.h"
#include "images/packages/bootstrap.h"
#include "images/packages/installed.h"
#include "images/packages/pins.h"
#include "images/packages/sources.h"
#include "images/packages/standin.h"
#include "images/packages/userns.h"

#endif
