/* A mutex, a list and a uv_async_t. libuv folds several sends into one wake-up, so a wake-up takes
 * all that is there. */
#include "attempt/loop_queue.h"

#include <stdlib.h>

#include "base/vector.h"

struct post {
    void (*function)(void *data);
    void *data;
};

struct loop_queue {
    uv_async_t async;
    uv_mutex_t mutex;
    VECTOR(struct post)
    posts;
};

static void run_posts(uv_async_t *async)
{
    struct loop_queue *queue = async->data;
    uv_mutex_lock(&queue->mutex);
    struct post *posts = queue->posts.items;
    size_t count = queue->posts.count;
    queue->posts.items = NULL;
    queue->posts.count = queue->posts.capacity = 0;
    uv_mutex_unlock(&queue->mutex);
    for (size_t i = 0; i < count; i++) {
        posts[i].function(posts[i].data);
    }
    free(posts);
}

struct loop_queue *loop_queue_new(uv_loop_t *loop)
{
    struct loop_queue *queue = memory_new(1, sizeof *queue);
    queue->async.data = queue;
    if (uv_async_init(loop, &queue->async, run_posts) != 0 || uv_mutex_init(&queue->mutex) != 0) {
        abort();
    }
    return queue;
}

uv_loop_t *loop_queue_loop(const struct loop_queue *queue)
{
    return queue->async.loop;
}

void loop_queue_post(struct loop_queue *queue, void (*function)(void *data), void *data)
{
    uv_mutex_lock(&queue->mutex);
    vector_push(&queue->posts, ((struct post){function, data}));
    uv_mutex_unlock(&queue->mutex);
    uv_async_send(&queue->async);
}

static void free_queue(uv_handle_t *handle)
{
    struct loop_queue *queue = handle->data;
    vector_release(&queue->posts);
    uv_mutex_destroy(&queue->mutex);
    free(queue);
}

void loop_queue_close(struct loop_queue *queue)
{
    uv_close((uv_handle_t *)&queue->async, free_queue);
}
