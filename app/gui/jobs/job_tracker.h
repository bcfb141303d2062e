// Work off the UI thread, one kind of it per tracker: starting a job makes the one before it stale. A stale job is
// asked to stop and its result is dropped, as are results that arrive after the tracker is gone. Used on the UI thread.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace gapscope {

class JobTracker {
public:
    explicit JobTracker(QThreadPool* pool = QThreadPool::globalInstance())
        : m_pool(pool), m_mailbox(std::make_shared<Mailbox>()) {
        m_mailbox->receiver = &m_receiver;
    }
    ~JobTracker() {
        cancel();
        const std::lock_guard lock(m_mailbox->mutex);
        m_mailbox->receiver = nullptr;
    }
    JobTracker(const JobTracker&) = delete;
    JobTracker& operator=(const JobTracker&) = delete;

    // `work(std::stop_token) -> T` runs on the pool and must own what it touches; `done(T)` runs on the UI thread.
    template <class Work, class Done>
    void start(Work work, Done done) {
        cancel();
        m_stop = std::stop_source();
        m_running = true;
        const uint64_t generation = ++m_generation;
        m_pool->start([this, mailbox = m_mailbox, stop = m_stop.get_token(), generation, work = std::move(work),
                       done = std::move(done)]() mutable {
            if (stop.stop_requested()) return;
            // The result travels in a shared_ptr because a queued call must be copyable and results may not be.
            auto result = std::make_shared<std::invoke_result_t<Work, std::stop_token>>(work(stop));
            const std::lock_guard lock(mailbox->mutex);
            if (!mailbox->receiver) return;
            // `this` is only used on the receiver's thread, and the receiver dies with the tracker.
            QMetaObject::invokeMethod(
                mailbox->receiver,
                [this, generation, result, done = std::move(done)]() mutable {
                    if (generation != m_generation || !m_running) return;
                    m_running = false;
                    done(std::move(*result));
                },
                Qt::QueuedConnection);
        });
    }

    void cancel() {
        m_stop.request_stop();
        m_running = false;
        ++m_generation;
    }
    bool running() const { return m_running; }

private:
    struct Mailbox {
        std::mutex mutex;
        QObject* receiver = nullptr;  // null once the tracker is gone
    };

    QThreadPool* m_pool;
    QObject m_receiver;
    std::shared_ptr<Mailbox> m_mailbox;
    std::stop_source m_stop;
    uint64_t m_generation = 0;
    bool m_running = false;
};

}  // namespace gapscope
