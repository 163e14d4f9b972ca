/* A rewrite as it is written in a plan. */
#ifndef DRCTL_HCL_REWRITE_REQUEST_H
#define DRCTL_HCL_REWRITE_REQUEST_H

#include "hcl/rewrite.h"

/* Fills an empty request from an object with the members
 *   set, add, put  {FILE: {ADDRESS: value, …}, …}
 *   remove         {FILE: [ADDRESS, …], …}
 *   map            {from: to, …}, with map_files [glob, …] and map_in [place, …]
 *   forbid         [word, …], with forbid_files [glob, …] and forbid_in [place, …]
 * where places are value, heredoc, key, comment and text. Others are ignored. The object and root
 * have to outlive the request. */
MUST_USE int hcl_rewrite_request_read(struct hcl_rewrite_request *request, const char *root,
                                      const json_t *object, struct error *err);

#endif
