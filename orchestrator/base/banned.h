/* Functions that lose track of sizes or hand words to a shell. The build includes this file before
 * every source, so that a use of them does not compile. */
#ifndef DRCTL_BASE_BANNED_H
#define DRCTL_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BANNED(function) use_of_##function##_is_banned_see_base_banned_h

#undef strcpy
#define strcpy(to, from) BANNED(strcpy)
#undef strcat
#define strcat(to, from) BANNED(strcat)
#undef strncpy
#define strncpy(to, from, size) BANNED(strncpy)
#undef strncat
#define strncat(to, from, size) BANNED(strncat)
#undef stpcpy
#define stpcpy(to, from) BANNED(stpcpy)
#undef strtok
#define strtok(text, delimiters) BANNED(strtok)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef gets
#define gets(text) BANNED(gets)
#undef system
#define system(command) BANNED(system)
#undef popen
#define popen(command, mode) BANNED(popen)
#undef mktemp
#define mktemp(pattern) BANNED(mktemp)
#undef atoi
#define atoi(text) BANNED(atoi)
#undef alloca
#define alloca(size) BANNED(alloca)

#endif
