// Tables of millions of rows: the view knows a part of them and shows all; gaps and events in any order.
#include <QClipboard>
#include <QHeaderView>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QToolTip>

#include "app/gui/views/data_table.h"

using namespace gapscope;

namespace {

// Row r says r.
class ManyRows : public TableModel {
public:
    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : m_count; }
    void setCount(int count) {
        beginResetModel();
        m_count = count;
        endResetModel();
    }
    void change() { Q_EMIT dataChanged(index(0, 0), index(m_count - 1, 1)); }

private:
    const std::vector<TableColumn>& columns() const override {
        static const std::vector<TableColumn> columns = {{QStringLiteral("Row"), {}}, {QStringLiteral("Twice"), {}}};
        return columns;
    }
    TableCell cell(int row, int column) const override {
        return {.shown = QString::number(row * (column + 1)), .raw = row};
    }
    int m_count = 0;
};

}  // namespace

class LongTablesTest : public QObject {
    Q_OBJECT

private:
    static constexpr int kMany = 10'000'000;
    ManyRows m_rows;
    std::unique_ptr<DataTable> m_table;

    int topRow() const { return m_table->sourceRow(m_table->indexAt({2, 2})); }
    int bottomRow() const { return m_table->sourceRow(m_table->indexAt({2, m_table->viewport()->height() - 3})); }
    int current() const { return m_table->sourceRow(m_table->currentIndex()); }

private Q_SLOTS:
    void init() {
        m_table = std::make_unique<DataTable>(m_rows, QStringLiteral("Rows"), nullptr, RowOrder::AsGiven);
        m_table->setColumnCharacters({12, 12}, 1);
        m_table->resize(400, 300);
        m_table->show();
        m_rows.setCount(kMany);
        QVERIFY(QTest::qWaitForWindowActive(m_table.get()));
        m_table->setFocus();
        QCoreApplication::processEvents();
    }
    void cleanup() {
        m_table.reset();
        m_rows.setCount(0);
    }

    void theViewKnowsAFewOfThem() {
        QVERIFY(m_table->verticalHeader()->count() <= RowWindow::kMostRows);
        QCOMPARE(topRow(), 0);
    }

    void theScrollBarIsOfAllOfThem() {
        QScrollBar& bar = *m_table->verticalScrollBar();
        QVERIFY(bar.isVisible());
        QCOMPARE(bar.maximum() + bar.pageStep(), kMany);
        for (const int row : {5, 99'990, 100'003, 4'321'098, 4'321'000, 50'000, 0}) {
            bar.setValue(row);
            QCOMPARE(topRow(), row);
            QCOMPARE(m_table->indexAt({2, 2}).data().toString(), QString::number(row));
            QCOMPARE(bar.value(), row);
        }
        bar.setValue(bar.maximum());
        QCOMPARE(bottomRow(), kMany - 1);
        m_table->resize(400, 500);
        QCoreApplication::processEvents();
        QCOMPARE(bottomRow(), kMany - 1);
        QCOMPARE(bar.maximum() + bar.pageStep(), kMany);
    }

    void keysGoThroughThemAll() {
        m_table->markSourceRow(0);
        m_table->setCurrentIndex(m_table->model()->index(0, 0));
        QTest::keyClick(m_table.get(), Qt::Key_End, Qt::ControlModifier);
        QCOMPARE(current(), kMany - 1);
        QCOMPARE(bottomRow(), kMany - 1);
        QTest::keyClick(m_table.get(), Qt::Key_Up);
        QCOMPARE(current(), kMany - 2);
        QTest::keyClick(m_table.get(), Qt::Key_Home, Qt::ControlModifier);
        QCOMPARE(current(), 0);
        QCOMPARE(topRow(), 0);
        // Page after page, over the edge of what the view knew at first.
        m_table->markSourceRow(RowWindow::kMostRows - 30);
        m_table->setCurrentIndex(m_table->model()->index(RowWindow::kMostRows - 30, 0));
        QCOMPARE(current(), RowWindow::kMostRows - 30);
        int before = current();
        for (int page = 0; page < 8; ++page) {
            QTest::keyClick(m_table.get(), Qt::Key_PageDown);
            QVERIFY(current() > before && current() - before <= 20);
            QVERIFY(topRow() <= current() && current() <= bottomRow());
            before = current();
        }
        QVERIFY(before > RowWindow::kMostRows);
        for (int step = 0; step < 5; ++step)
            QTest::keyClick(m_table.get(), Qt::Key_Down);
        QCOMPARE(current(), before + 5);
        QCOMPARE(m_table->currentIndex().data().toString(), QString::number(before + 5));
    }

    void aRowIsMarkedWhereverItIs() {
        for (const int row : {7, 9'999'999, 3'000'000, 2'999'999, 120'000}) {
            m_table->markSourceRow(row);
            QCOMPARE(m_table->selectedSourceRows(), std::vector<int>{row});
            QVERIFY2(topRow() <= row && row <= bottomRow(), qPrintable(QString::number(row)));
        }
        QSignalSpy chosen(m_table.get(), &DataTable::chosen);
        QTest::keyClick(m_table.get(), Qt::Key_Return);
        QCOMPARE(chosen.size(), 1);
        QCOMPARE(chosen[0][0].toInt(), 120'000);
        QCOMPARE(m_table->copied(DataTable::CopyFormat::Text, DataTable::CopyRows::Selected),
                 QStringLiteral("Row\tTwice\n120000\t120000"));
        m_table->markSourceRow(-1);
        QVERIFY(m_table->selectedSourceRows().empty());
    }

    void whatIsSelectedStaysSoWhenRowsAreScrolled() {
        m_table->markSourceRow(90'000);
        m_table->verticalScrollBar()->setValue(110'000);  // the part that is known moves, and holds it still
        QCOMPARE(topRow(), 110'000);
        QCOMPARE(m_table->selectedSourceRows(), std::vector<int>{90'000});
    }

    void allOfThemCanBeMarkedAndCopied() {
        const int some = 3 * RowWindow::kMostRows;
        m_rows.setCount(some);
        QCoreApplication::processEvents();
        const auto isMarked = [this](int y) {
            return m_table->selectionModel()->isRowSelected(m_table->indexAt({2, y}).row());
        };
        m_table->setCurrentIndex(m_table->model()->index(3, 0));
        QTest::keyClick(m_table.get(), Qt::Key_A, Qt::ControlModifier);
        QCOMPARE(m_table->selectedCount(), some);
        QVERIFY(isMarked(2));
        for (const int row : {some / 2, some - 40, 0}) {
            m_table->verticalScrollBar()->setValue(row);
            QCOMPARE(topRow(), row);
            QVERIFY2(isMarked(2) && isMarked(60), qPrintable(QString::number(row)));
        }
        QCOMPARE(m_table->selectedCount(), some);
        QCOMPARE(m_table->selectedSourceRows().size(), static_cast<size_t>(some));
        QGuiApplication::clipboard()->clear();
        QTest::keyClick(m_table.get(), Qt::Key_C, Qt::ControlModifier);
        const QString copied = QGuiApplication::clipboard()->text();
        QCOMPARE(copied.count(QLatin1Char('\n')), some);
        QVERIFY(copied.endsWith(QStringLiteral("\n299999\t299999")));
        // One chosen beside all: those that the view does not know of could not stay marked without it.
        QTest::mouseClick(m_table->viewport(), Qt::LeftButton, Qt::ControlModifier, {20, 60});
        QCOMPARE(m_table->selectedCount(), 1);
        QCOMPARE(m_table->selectedSourceRows().size(), size_t(1));
        QTest::keyClick(m_table.get(), Qt::Key_A, Qt::ControlModifier);
        m_rows.setCount(some + 1);  // other rows
        QCOMPARE(m_table->selectedCount(), 0);
    }

    void moreThanAClipboardTakesIsToldAndNotCopied() {
        QTest::keyClick(m_table.get(), Qt::Key_A, Qt::ControlModifier);
        QCOMPARE(m_table->selectedCount(), kMany);
        QGuiApplication::clipboard()->setText(QStringLiteral("before"));
        QTest::keyClick(m_table.get(), Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("before"));
        QVERIFY2(QToolTip::text().startsWith(QStringLiteral("Nothing was copied: ")), qPrintable(QToolTip::text()));
        QToolTip::hideText();
    }

    void otherContentsAndFewerRowsAreTakenUp() {
        m_table->verticalScrollBar()->setValue(5'000'000);
        m_rows.change();
        QCOMPARE(topRow(), 5'000'000);
        m_rows.setCount(50);
        QCoreApplication::processEvents();
        QCOMPARE(m_table->model()->rowCount(), 50);
        QCOMPARE(bottomRow(), 49);
        QCOMPARE(m_table->copied(DataTable::CopyFormat::Csv, DataTable::CopyRows::All).count(QLatin1Char('\n')), 50);
        m_rows.setCount(0);
        QCoreApplication::processEvents();
        QCOMPARE(topRow(), -1);
    }
};

QTEST_MAIN(LongTablesTest)
#include "long_tables_test.moc"
