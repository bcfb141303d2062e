// A row of captioned fields that gives way: as it gets narrower the fields shrink, then those that matter least go
// behind a button, "More", which opens them. What is set there is counted on the button.
#pragma once

#include <QWidget>
#include <functional>
#include <vector>

class QFrame;
class QHBoxLayout;
class QToolButton;

namespace gapscope {

class FoldingRow : public QWidget {
    Q_OBJECT

public:
    static constexpr int kStays = 0;

    explicit FoldingRow(int fieldHeight, QWidget* parent = nullptr);

    // From the left. `fold`: the place in the order in which fields go, from 1; kStays: it never does. `isSet` says
    // whether the field holds something else than usual.
    void add(const QString& caption, QWidget* field, int stretch, int fold, std::function<bool()> isSet);
    void updateMore();  // after fields were changed
    bool isFolded(const QWidget* field) const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    bool event(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    struct Column {
        QWidget* widget;
        QString caption;
        int stretch;
        int fold;
        std::function<bool()> isSet;
    };
    bool isFolded(const Column& column, int level) const { return column.fold != kStays && column.fold <= level; }
    QWidget* columnOf(const QString& caption, const QString& tip, QWidget* field);
    int widthAt(int level) const;  // at least needed
    void arrange();
    void place();
    void openRest();

    int m_fieldHeight;
    std::vector<Column> m_columns;
    int m_level = 0;  // fields of up to this fold are behind the button
    int m_deepest = 0;
    QHBoxLayout* m_row;
    QToolButton* m_more;
    QWidget* m_moreColumn;
    QFrame* m_rest;
    QHBoxLayout* m_restRow;
};

}  // namespace gapscope
