/* What all views share. */
#include "view/view.h"

#include <stddef.h>

void view_free(struct view *view)
{
    if (view != NULL) {
        view->release(view);
    }
}
