// The job tracker: the newest request wins, stale and orphaned results never arrive.
#include "app/gui/jobs/job_tracker.h"

#include <QSemaphore>
#include <QTest>
#include <QThread>
#include <atomic>
#include <memory>

using namespace gapscope;

class JobTrackerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theResultArrivesOnTheCallersThread() {
        JobTracker jobs;
        QThread* workedOn = nullptr;
        QThread* arrivedOn = nullptr;
        jobs.start(
            [&](std::stop_token) {
                workedOn = QThread::currentThread();
                return 42;
            },
            [&](int value) {
                QCOMPARE(value, 42);
                arrivedOn = QThread::currentThread();
            });
        QVERIFY(jobs.running());
        QTRY_VERIFY(arrivedOn);
        QCOMPARE(arrivedOn, QThread::currentThread());
        QVERIFY(workedOn != arrivedOn);
        QVERIFY(!jobs.running());
    }

    void aNewerJobStopsTheOlderAndDropsItsResult() {
        QThreadPool pool;
        pool.setMaxThreadCount(2);
        JobTracker jobs(&pool);
        std::atomic<bool> olderStopped = false;
        QSemaphore olderStarted;
        QVector<int> arrived;
        jobs.start(
            [&](std::stop_token stop) {
                olderStarted.release();
                while (!stop.stop_requested())
                    QThread::yieldCurrentThread();
                olderStopped = true;
                return 1;
            },
            [&](int value) { arrived.append(value); });
        olderStarted.acquire();
        jobs.start([](std::stop_token) { return 2; }, [&](int value) { arrived.append(value); });
        QTRY_COMPARE(arrived.size(), 1);
        pool.waitForDone();
        QCoreApplication::processEvents();
        QVERIFY(olderStopped);
        QCOMPARE(arrived, QVector<int>{2});
    }

    // The result is already on its way when the job is cancelled.
    void aResultInTheQueueIsDroppedOnCancel() {
        QThreadPool pool;
        JobTracker jobs(&pool);
        bool arrived = false;
        jobs.start([](std::stop_token) { return 1; }, [&](int) { arrived = true; });
        pool.waitForDone();
        jobs.cancel();
        QCoreApplication::processEvents();
        QVERIFY(!arrived);
    }

    void aTrackerMayGoWhileItsJobRuns() {
        QThreadPool pool;
        QSemaphore mayEnd;
        bool arrived = false;
        {
            JobTracker jobs(&pool);
            QSemaphore started;
            jobs.start(
                [&](std::stop_token) {
                    started.release();
                    mayEnd.acquire();
                    return 1;
                },
                [&](int) { arrived = true; });
            started.acquire();
        }
        mayEnd.release();
        pool.waitForDone();
        QCoreApplication::processEvents();
        QVERIFY(!arrived);
    }

    void resultsThatCannotBeCopiedAreMoved() {
        JobTracker jobs;
        std::unique_ptr<int> result;
        jobs.start([](std::stop_token) { return std::make_unique<int>(7); },
                   [&](std::unique_ptr<int> value) { result = std::move(value); });
        QTRY_VERIFY(result);
        QCOMPARE(*result, 7);
    }
};

QTEST_GUILESS_MAIN(JobTrackerTest)
#include "job_tracker_test.moc"
