// SPDX-License-Identifier: Apache-2.0
/* See threads_pthreads_mutex.h; Open MPI includes it and a component needs nothing of it. */
